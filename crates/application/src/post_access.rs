//! Finding a post for a viewer, and locking it for an act.

use std::collections::HashMap;

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

/// Locks `user`, the author of a post they act on, and further participants: until the transaction ends, no account of them
/// can be deleted and no block can be created between them. One statement locks all, since users are locked in the order of
/// their ids.
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
    let participants = Participants { users: &users, authors_of_posts: &[post], ..further };
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

/// Locks `user` and the author of a post on which they undo an act of their own, as [`lock_posts`] does.
pub(crate) async fn lock_to_undo(
    tx: &Connection,
    user: UserId,
    post: PostId,
) -> Result<UndoTarget> {
    lock_posts(tx, [(user, post)]).await?.undo_target(user, post)
}

/// The users who act on some posts, and the posts as they see them.
pub(crate) struct LockedPosts {
    /// The acting users who exist, and the authors of the posts.
    users: HashMap<UserId, Author>,
    /// The authors of the posts that the acting users can see.
    visible: HashMap<(UserId, PostId), UserId>,
}

/// Locks the users of these acts and the authors of their posts: until the transaction ends, no account of them can be deleted
/// and no block can be created between them. Two statements, sent together, for any number of acts.
pub(crate) async fn lock_posts(
    tx: &Connection,
    acts: impl IntoIterator<Item = (UserId, PostId)>,
) -> Result<LockedPosts> {
    let acts: Vec<_> = acts.into_iter().collect();
    let users: Vec<UserId> = acts.iter().map(|(user, _)| *user).collect();
    let posts: Vec<PostId> = acts.iter().map(|(_, post)| *post).collect();
    let participants =
        Participants { users: &users, authors_of_posts: &posts, ..Participants::default() };
    let (mut locking, mut reading) = (tx, tx);
    let (locked, visible) =
        join(locking.users().lock_participants(participants), reading.posts().find_visible(&acts))
            .await;
    let (locked, visible) = (locked?, visible?);
    Ok(LockedPosts {
        users: locked.users.into_iter().map(|user| (user.id, user)).collect(),
        visible,
    })
}

impl LockedPosts {
    /// The acting user.
    ///
    /// # Errors
    /// `Unauthenticated` if the account was deleted.
    pub(crate) fn actor(&self, user: UserId) -> Result<&Author> {
        self.users.get(&user).ok_or_else(Error::account_deleted)
    }

    /// The acting user, and the author of a post.
    ///
    /// # Errors
    /// As [`LockedPosts::actor`], and `NotFound` if the user cannot see the post.
    pub(crate) fn actor_and_author(&self, user: UserId, post: PostId) -> Result<(&Author, UserId)> {
        let actor = self.actor(user)?;
        let author = self.visible.get(&(user, post)).copied();
        Ok((actor, author.ok_or_else(|| Resource::Post.not_found(post))?))
    }

    /// The post on which a user undoes an act. It can be one that they can no longer see: it is private by now, or across a
    /// block.
    ///
    /// # Errors
    /// As [`LockedPosts::actor`].
    pub(crate) fn undo_target(&self, user: UserId, post: PostId) -> Result<UndoTarget> {
        self.actor(user)?;
        Ok(UndoTarget { post, is_visible: self.visible.contains_key(&(user, post)) })
    }
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
    app.read_replica(async |conn| {
        let mut posts = conn.clone();
        let found = find_post(&mut posts, Viewer::User(user), post);
        try_join(found, async { Ok(read(conn).await?) }).await
    })
    .await
}
