//! Emoji reactions to posts. A user has at most one per post.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, EventDetails, InboxUpdate};
use grateful_domain::{Emoji, EmojiCount, Page, PageRequest, PostId, Reaction, UserId};
use grateful_storage::{Connection, NewReaction, Reader, Repositories};

use crate::combiner::{ActPlace, ActTarget, GroupedAct};
use crate::notify::{event, update_inboxes};
use crate::post_access::{LockedPosts, lock_posts, read_with_post};
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
    app.combiner.run(&app.db, SetReaction(new)).await
}

/// Removes the reaction of a user from a post, even if the user can no longer see the post.
///
/// # Errors
/// `NotFound` if the user has not reacted to the post.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<()> {
    app.combiner.run(&app.db, RemoveReaction { user, post, at: app.clock.now() }).await
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

struct SetReaction(NewReaction);

impl GroupedAct for SetReaction {
    type Output = Reaction;
    type Locked = LockedPosts;

    const NAME: &'static str = "set_reaction";

    fn place(&self) -> ActPlace {
        ActPlace::new(self.0.user, ActTarget::Post(self.0.post))
    }

    async fn lock(tx: &Connection, acts: &[Self]) -> Result<LockedPosts> {
        lock_posts(tx, acts.iter().map(|act| (act.0.user, act.0.post))).await
    }

    async fn run(
        tx: &mut Connection,
        acts: &[Self],
        locked: LockedPosts,
    ) -> Result<Vec<Result<Reaction>>> {
        let can_see = |new: &NewReaction| locked.actor_and_author(new.user, new.post).is_ok();
        let reactions: Vec<_> = acts.iter().map(|act| act.0).filter(can_see).collect();
        let saved = tx.emoji_reactions().set(&reactions).await?;
        let saved: HashMap<_, _> = saved.into_iter().map(|it| ((it.user, it.post), it)).collect();
        let mut updates = vec![];
        let results = acts.iter().map(|SetReaction(new)| {
            let NewReaction { user, post, emoji, at, .. } = *new;
            let (reactor, author) = locked.actor_and_author(user, post)?;
            let saved = saved.get(&(user, post)).ok_or_else(|| Resource::Post.not_found(post))?;
            let cause = Cause { recipient: author, actor: user, act: Act::Reaction { post } };
            updates.push(if saved.is_new {
                let details = EventDetails::of_emoji(emoji);
                InboxUpdate::Record(event(cause, details, at))
            } else {
                InboxUpdate::ChangeDetails { cause, details: EventDetails::of_emoji(emoji) }
            });
            let (id, created_at) = (saved.id, saved.created_at);
            Ok(Reaction { id, post, user: reactor.clone(), emoji, created_at })
        });
        let results = results.collect();
        update_inboxes(tx, updates).await?;
        Ok(results)
    }
}

struct RemoveReaction {
    user: UserId,
    post: PostId,
    at: DateTime<Utc>,
}

impl GroupedAct for RemoveReaction {
    type Output = ();
    type Locked = LockedPosts;

    const NAME: &'static str = "remove_reaction";

    fn place(&self) -> ActPlace {
        ActPlace::new(self.user, ActTarget::Post(self.post))
    }

    async fn lock(tx: &Connection, acts: &[Self]) -> Result<LockedPosts> {
        lock_posts(tx, acts.iter().map(|act| (act.user, act.post))).await
    }

    async fn run(
        tx: &mut Connection,
        acts: &[Self],
        locked: LockedPosts,
    ) -> Result<Vec<Result<()>>> {
        let pairs = acts.iter().map(|act| (act.user, act.post));
        let existing: Vec<_> = pairs.filter(|(user, _)| locked.actor(*user).is_ok()).collect();
        let removed = tx.emoji_reactions().remove(&existing).await?;
        let removed: HashMap<_, _> =
            removed.into_iter().map(|cause| ((cause.actor, cause.act), cause)).collect();
        let mut updates = vec![];
        let results = acts.iter().map(|RemoveReaction { user, post, at }| {
            let target = locked.undo_target(*user, *post)?;
            let cause = removed.get(&(*user, Act::Reaction { post: *post })).copied();
            let cause = cause.ok_or_else(|| target.nothing_to_undo(Resource::Reaction))?;
            updates.push(InboxUpdate::Withdraw { cause, at: *at });
            Ok(())
        });
        let results = results.collect();
        update_inboxes(tx, updates).await?;
        Ok(results)
    }
}
