//! Finding a post for a viewer, and locking it for an act.

use grateful_domain::{Author, PostForViewer, PostId, UserId, Viewer};
use grateful_storage::{Connection, Participants, Repositories};

use crate::{Error, Resource, Result};

/// A post that `user` is about to act on: nobody comes between them and its author, nor do they go away, until the
/// transaction ends. Returns who acts, and the post as they see it.
pub(crate) async fn hold(
    tx: &mut Connection,
    user: UserId,
    post: PostId,
) -> Result<(Author, PostForViewer)> {
    let held = hold_with(tx, user, post, Participants::default()).await?;
    Ok((held.by, held.seen))
}

/// A post that somebody is about to act on, and all whom that concerns.
pub(crate) struct Held {
    /// Who acts.
    pub(crate) by: Author,
    /// The post as they see it.
    pub(crate) seen: PostForViewer,
    /// They, the author of the post, and whoever else was asked for, as far as there are such people.
    pub(crate) people: Vec<Author>,
}

/// As [`hold`], and of `others` the same is true. All at once, since people are locked in the order of their ids.
pub(crate) async fn hold_with(
    tx: &mut Connection,
    user: UserId,
    post: PostId,
    others: Participants<'_>,
) -> Result<Held> {
    let people = [&[user], others.users].concat();
    let participants = Participants { users: &people, author_of_post: Some(post), ..others };
    let people = tx.users().lock_participants(participants).await?;
    let by = people
        .iter()
        .find(|person| person.id == user)
        .cloned()
        .ok_or_else(Error::account_deleted)?;
    Ok(Held { by, seen: seen(tx, Viewer::User(user), post).await?, people })
}

/// A post as `viewer` sees it, for whatever they want with it.
pub(crate) async fn seen(
    conn: &mut Connection,
    viewer: Viewer,
    post: PostId,
) -> Result<PostForViewer> {
    conn.posts().find(viewer, post).await?.ok_or_else(|| Resource::Post.not_found(post))
}
