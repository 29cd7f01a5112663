//! Finding a post for a viewer, and locking it for an act.

use futures_util::future::{join, try_join};
use grateful_domain::{Author, PostForViewer, PostId, UserId, Viewer};
use grateful_storage::{Connection, LockedParticipants, Participants, Reader, Repositories};

use crate::{App, Error, Resource, Result};

/// A post whose participants are locked.
pub(crate) struct LockedPost {
    /// The acting user.
    pub(crate) actor: Author,
    /// The post as the actor sees it.
    pub(crate) post: PostForViewer,
    /// The actor, the author of the post, and all further participants that exist.
    pub(crate) participants: LockedParticipants,
}

/// Locks `user` and the author of a post they act on: until the transaction ends, neither account can be deleted and no
/// block can be created between them. Returns the acting user, and the post as they see it.
pub(crate) async fn lock_post(
    tx: &Connection,
    user: UserId,
    post: PostId,
) -> Result<(Author, PostForViewer)> {
    let locked = lock_post_with(tx, user, post, Participants::default()).await?;
    Ok((locked.actor, locked.post))
}

/// As [`lock_post`], with further participants. One statement locks all, since users are locked in the order of their
/// ids.
///
/// The statements are sent together. The one that finds the post sees what was committed while the locks were awaited, since
/// PostgreSQL executes it after them.
pub(crate) async fn lock_post_with(
    tx: &Connection,
    user: UserId,
    post: PostId,
    further: Participants<'_>,
) -> Result<LockedPost> {
    let users = [&[user], further.users].concat();
    let participants = Participants { users: &users, author_of_post: Some(post), ..further };
    let (mut locking, mut reading) = (tx, tx);
    // Not `try_join`, which would not wait for the second statement if the first one fails.
    let (participants, found) = join(
        locking.users().lock_participants(participants),
        reading.posts().find(Viewer::User(user), post),
    )
    .await;
    let participants = participants?;
    let actor = participants.users.iter().find(|participant| participant.id == user).cloned();
    let actor = actor.ok_or_else(Error::account_deleted)?;
    let post = found?.ok_or_else(|| Resource::Post.not_found(post))?;
    Ok(LockedPost { actor, post, participants })
}

/// A post on which a user undoes an act of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UndoTarget {
    post: PostId,
    /// Whether the user can see the post. They can undo their own act in any case, but learn nothing else about it.
    pub(crate) is_visible: bool,
}

impl UndoTarget {
    /// The error if the user has nothing of this kind to undo. A post that they cannot see looks like one that does not
    /// exist.
    pub(crate) fn nothing_to_undo(self, resource: Resource) -> Error {
        if self.is_visible {
            Error::NotFound { resource, id: None }
        } else {
            Resource::Post.not_found(self.post)
        }
    }
}

/// Locks `user` and the author of a post on which they undo an act of their own, as [`lock_post`] does. The post can be
/// one that they can no longer see: it is private by now, or across a block.
pub(crate) async fn lock_to_undo(
    tx: &Connection,
    user: UserId,
    post: PostId,
) -> Result<UndoTarget> {
    let participants =
        Participants { users: &[user], author_of_post: Some(post), ..Participants::default() };
    let (mut locking, mut reading) = (tx, tx);
    let (participants, found) = join(
        locking.users().lock_participants(participants),
        reading.posts().find(Viewer::User(user), post),
    )
    .await;
    let participants = participants?;
    if !participants.users.iter().any(|participant| participant.id == user) {
        return Err(Error::account_deleted());
    }
    Ok(UndoTarget { post, is_visible: found?.is_some() })
}

/// Finds a post as `viewer` sees it.
///
/// # Errors
/// `NotFound` if `viewer` may not see it.
pub(crate) async fn find_post(
    conn: &mut impl Repositories,
    viewer: Viewer,
    post: PostId,
) -> Result<PostForViewer> {
    conn.posts().find(viewer, post).await?.ok_or_else(|| Resource::Post.not_found(post))
}

/// Runs `read`, which reads something about a post, and finds the post as the user sees it. Both are sent together: if the
/// user may not see the post, what `read` found is dropped.
///
/// # Errors
/// `NotFound` if the user may not see the post.
pub(crate) async fn read_with_post<T>(
    app: &App,
    user: UserId,
    post: PostId,
    read: impl AsyncFnOnce(Reader) -> grateful_storage::Result<T> + Clone,
) -> Result<(PostForViewer, T)> {
    app.db
        .read(async |conn| {
            let mut posts = conn.clone();
            let found = find_post(&mut posts, Viewer::User(user), post);
            try_join(found, async { Ok(read(conn).await?) }).await
        })
        .await
}
