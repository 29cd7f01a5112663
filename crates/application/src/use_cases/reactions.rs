//! Emoji reactions to posts. A user has at most one per post.

use grateful_domain::notification::{Act, EventDetails};
use grateful_domain::{Emoji, EmojiCount, Page, PageRequest, PostId, Reaction, UserId};
use grateful_storage::{NewReaction, Reader, Repositories};

use crate::notify::{cause_for_author, notify, update_reaction, withdraw};
use crate::post_access::{lock_post, lock_to_undo, read_with_post};
use crate::{App, Resource, Result, new_id};

/// The reactions to a post as a user sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionSummary {
    /// The number of reactions.
    pub total: i32,
    /// The number of reactions by emoji. Emoji without reactions are left out.
    pub counts: Vec<EmojiCount>,
    /// The emoji of the user's own reaction.
    pub own: Option<Emoji>,
}

/// Sets the reaction of a user to a post. Replaces an earlier one.
pub async fn set(app: &App, user: UserId, post: PostId, emoji: Emoji) -> Result<Reaction> {
    let at = app.clock.now();
    let new = NewReaction { id: new_id(at).into(), user, post, emoji, at };
    app.db
        .transaction(async |tx| {
            let (reactor, target) = lock_post(tx, user, post).await?;
            let stored = tx.emoji_reactions().set(&[new]).await?.pop();
            let stored = stored.ok_or_else(|| Resource::Post.not_found(post))?;
            let cause = cause_for_author(&target, user, Act::Reaction { post });
            if stored.is_new {
                let details = EventDetails { emoji: Some(emoji), ..EventDetails::default() };
                notify(tx, &[cause], &details, at).await?;
            } else {
                update_reaction(tx, cause, emoji, at).await?;
            }
            Ok(Reaction {
                id: stored.id,
                post,
                user: reactor,
                emoji,
                created_at: stored.created_at,
            })
        })
        .await
}

/// Removes the reaction of a user from a post, even if the user can no longer see the post.
///
/// # Errors
/// `NotFound` if the user has not reacted to the post.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let target = lock_to_undo(tx, user, post).await?;
            let cause = tx.emoji_reactions().remove(&[(user, post)]).await?.pop();
            let cause = cause.ok_or_else(|| target.nothing_to_undo(Resource::Reaction))?;
            withdraw(tx, cause, now).await
        })
        .await
}

/// Lists the reactions to a post with their users, newest first.
pub async fn list(
    app: &App,
    user: UserId,
    post: PostId,
    page: PageRequest,
) -> Result<Page<Reaction>> {
    let list = async |mut conn: Reader| conn.emoji_reactions().list(user, post, page).await;
    Ok(read_with_post(app, user, post, list).await?.1)
}

/// Counts the reactions to a post by emoji.
pub async fn get_summary(app: &App, user: UserId, post: PostId) -> Result<ReactionSummary> {
    let count = async |mut conn: Reader| conn.emoji_reactions().count_by_emoji(&[post]).await;
    let (found, mut counts) = read_with_post(app, user, post, count).await?;
    let counts = counts.remove(&post).unwrap_or_default();
    let total = counts.iter().map(|entry| i32::try_from(entry.count).unwrap_or(i32::MAX)).sum();
    Ok(ReactionSummary { total, counts, own: found.reaction })
}
