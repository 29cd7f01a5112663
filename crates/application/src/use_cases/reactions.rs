//! Emoji on posts: leaving one, changing one's mind, taking it back.

use grateful_domain::notification::{Act, EventDetails};
use grateful_domain::{Emoji, EmojiCount, Page, PageRequest, PostId, Reaction, UserId, Viewer};
use grateful_storage::{NewReaction, Repositories};

use crate::notify::{for_author, retell, tell, untell};
use crate::post_access::{hold, seen};
use crate::{App, Error, Resource, Result, new_id};

/// How a post stands with its emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionSummary {
    /// How many there are.
    pub total: i32,
    /// How many of each that was left at all.
    pub counts: Vec<EmojiCount>,
    /// The caller's own.
    pub own: Option<Emoji>,
}

/// Leaves an emoji on a post, in place of an earlier one.
pub async fn set(app: &App, user: UserId, post: PostId, emoji: Emoji) -> Result<Reaction> {
    let at = app.clock.now();
    let new = NewReaction { id: new_id(at).into(), user, post, emoji, at };
    app.db
        .transaction(async |tx| {
            let (by, seen) = hold(tx, user, post).await?;
            let put = tx.emoji_reactions().set(&new).await?;
            let put = put.ok_or_else(|| Resource::Post.not_found(post))?;
            let cause = for_author(&seen, user, Act::Reaction { post });
            if put.is_new {
                let details =
                    EventDetails::for_post(seen.post.draft.content.as_str()).with_emoji(emoji);
                tell(tx, &[cause], &details, at).await?;
            } else {
                retell(tx, cause, emoji, at).await?;
            }
            Ok(Reaction { id: put.id, post, by, emoji, created_at: put.created_at })
        })
        .await
}

/// Takes one's emoji back.
///
/// # Errors
/// `NotFound` where there is none.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let (_, seen) = hold(tx, user, post).await?;
            if !tx.emoji_reactions().remove(user, post).await? {
                return Err(Error::NotFound { resource: Resource::Reaction, id: None });
            }
            untell(tx, for_author(&seen, user, Act::Reaction { post }), now).await
        })
        .await
}

/// The emoji on a post and who left them, newest first.
pub async fn list(
    app: &App,
    user: UserId,
    post: PostId,
    page: PageRequest,
) -> Result<Page<Reaction>> {
    let mut conn = app.db.acquire().await?;
    seen(&mut conn, Viewer::User(user), post).await?;
    Ok(conn.emoji_reactions().list(user, post, page).await?)
}

/// How a post stands with its emoji.
pub async fn get_summary(app: &App, user: UserId, post: PostId) -> Result<ReactionSummary> {
    let mut conn = app.db.acquire().await?;
    let seen = seen(&mut conn, Viewer::User(user), post).await?;
    let counts =
        conn.emoji_reactions().count_by_emoji(&[post]).await?.remove(&post).unwrap_or_default();
    let total = counts.iter().map(|it| i32::try_from(it.count).unwrap_or(i32::MAX)).sum();
    Ok(ReactionSummary { total, counts, own: seen.reaction })
}
