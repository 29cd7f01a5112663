//! Resolving mentioned usernames to users inside a transaction.

use grateful_domain::{Author, UserId};
use grateful_storage::{Connection, Participants, Repositories};

use crate::{Error, Result};

/// Looks up the users with these usernames and locks them together with `author` (see
/// [`Users::lock_participants`](grateful_storage::Users::lock_participants)). One statement, or none if `usernames` is
/// empty.
pub(crate) async fn lock_mentioned_users(
    tx: &mut Connection,
    author: UserId,
    usernames: &[&str],
) -> Result<Vec<Author>> {
    if usernames.is_empty() {
        return Ok(vec![]);
    }
    let participants = Participants { users: &[author], usernames, ..Participants::default() };
    let locked = tx.users().lock_participants(participants).await?;
    if locked.iter().any(|user| user.id == author) {
        Ok(locked)
    } else {
        Err(Error::account_deleted())
    }
}

/// The ids of those of `users` who have one of these usernames, in the order of the usernames.
pub(crate) fn ids_by_username(usernames: &[&str], users: &[Author]) -> Vec<UserId> {
    let find_user = |username: &&str| {
        users.iter().find(|user| user.username.as_str().eq_ignore_ascii_case(username))
    };
    usernames.iter().filter_map(find_user).map(|user| user.id).collect()
}
