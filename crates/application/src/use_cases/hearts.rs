//! Hearts on posts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, EventDetails, InboxUpdate};
use grateful_domain::{Heart, Page, PageRequest, PostId, UserId, Viewer};
use grateful_storage::{Connection, NewHeart, Reader, Repositories};

use crate::combiner::{ActPlace, ActTarget, GroupedAct};
use crate::notify::{event, update_inboxes};
use crate::post_access::{LockedPosts, lock_posts, read_with_post};
use crate::{App, Error, Resource, Result, new_id, posts};

/// The hearts of a post as a user sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartStatus {
    /// The number of hearts.
    pub count: i32,
    /// Whether the user has hearted the post.
    pub is_hearted: bool,
}

/// Adds the heart of a user to a post.
///
/// # Errors
/// `AlreadyExists` if the user has hearted the post already.
pub async fn add(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let at = app.clock.now();
    let heart = NewHeart { id: new_id(at).into(), user, post, at };
    app.combiner.run(&app.db, AddHeart(heart)).await
}

/// Removes the heart of a user from a post, even if the user can no longer see the post. Then the returned number of
/// hearts is 0, so that it says nothing about the post.
///
/// # Errors
/// `NotFound` if the user has not hearted the post.
pub async fn remove(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    app.combiner.run(&app.db, RemoveHeart { user, post, at: app.clock.now() }).await
}

/// Returns the number of hearts of a post, and whether the user has hearted it.
pub async fn get_status(app: &App, user: UserId, post: PostId) -> Result<HeartStatus> {
    let found = posts::get(app, Viewer::User(user), post).await?;
    Ok(HeartStatus { count: found.post.engagement.hearts, is_hearted: found.is_hearted })
}

/// Lists the hearts of a post with their users, newest first.
pub async fn list(app: &App, user: UserId, post: PostId, page: PageRequest) -> Result<Page<Heart>> {
    let list = async |mut conn: Reader| conn.hearts().list(user, post, page).await;
    Ok(read_with_post(app, user, post, list).await?.1)
}

struct AddHeart(NewHeart);

impl GroupedAct for AddHeart {
    type Output = HeartStatus;
    type Locked = LockedPosts;

    const NAME: &'static str = "add_heart";

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
    ) -> Result<Vec<Result<HeartStatus>>> {
        let pair = |heart: &NewHeart| (heart.user, heart.post);
        let can_see = |(user, post)| locked.actor_and_author(user, post).is_ok();
        let hearts = acts.iter().map(|act| act.0).filter(|heart| can_see(pair(heart)));
        let hearts: Vec<NewHeart> = hearts.collect();
        let added = tx.hearts().add(&hearts).await?;
        let refused = hearts.iter().filter(|heart| !added.contains_key(&heart.id)).map(pair);
        let refused: Vec<_> = refused.collect();
        let still_visible = if refused.is_empty() {
            HashMap::new()
        } else {
            tx.posts().find_visible(&refused).await?
        };
        let mut updates = vec![];
        let results = acts.iter().map(|AddHeart(heart)| {
            let (_, author) = locked.actor_and_author(heart.user, heart.post)?;
            let Some(count) = added.get(&heart.id) else {
                return Err(add_error(heart.post, still_visible.contains_key(&pair(heart))));
            };
            let act = Act::Heart { post: heart.post };
            let cause = Cause { recipient: author, actor: heart.user, act };
            updates.push(InboxUpdate::Record(event(cause, EventDetails::default(), heart.at)));
            Ok(HeartStatus { count: *count, is_hearted: true })
        });
        let results = results.collect();
        update_inboxes(tx, updates).await?;
        Ok(results)
    }
}

/// Why a heart could not be added: it exists already, or the post was deleted in the meantime.
fn add_error(post: PostId, is_visible: bool) -> Error {
    if is_visible {
        let reason = "Post already hearted by user";
        Error::AlreadyExists { resource: Resource::Heart, reason }
    } else {
        Resource::Post.not_found(post)
    }
}

struct RemoveHeart {
    user: UserId,
    post: PostId,
    at: DateTime<Utc>,
}

impl GroupedAct for RemoveHeart {
    type Output = HeartStatus;
    type Locked = LockedPosts;

    const NAME: &'static str = "remove_heart";

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
    ) -> Result<Vec<Result<HeartStatus>>> {
        let pairs = acts.iter().map(|act| (act.user, act.post));
        let existing: Vec<_> = pairs.filter(|(user, _)| locked.actor(*user).is_ok()).collect();
        let removed = tx.hearts().remove(&existing).await?;
        let removed: HashMap<_, _> = removed
            .into_iter()
            .map(|heart| ((heart.cause.actor, heart.cause.act), heart))
            .collect();
        let mut updates = vec![];
        let results = acts.iter().map(|RemoveHeart { user, post, at }| {
            let target = locked.undo_target(*user, *post)?;
            let removed = removed.get(&(*user, Act::Heart { post: *post }));
            let removed = removed.ok_or_else(|| target.nothing_to_undo(Resource::Heart))?;
            updates.push(InboxUpdate::Withdraw { cause: removed.cause, at: *at });
            let count = if target.is_visible { removed.count } else { 0 };
            Ok(HeartStatus { count, is_hearted: false })
        });
        let results = results.collect();
        update_inboxes(tx, updates).await?;
        Ok(results)
    }
}
