//! Resolving mentioned usernames to users inside a transaction.

use grateful_domain::UserId;
use grateful_storage::{LockConnection, LockedParticipants, Participants, Repositories};

use crate::{Error, Result};

/// Looks up the users who have these usernames, or had them before if they are reserved, and locks them together with `author` (see
/// [`Users::lock_participants`](grateful_storage::Users::lock_participants)). One statement, or none if `usernames` is
/// empty.
pub(crate) async fn lock_mentioned_users(
    tx: &mut impl Repositories<Conn: LockConnection>,
    author: UserId,
    usernames: &[&str],
) -> Result<LockedParticipants> {
    if usernames.is_empty() {
        return Ok(LockedParticipants::default());
    }
    let participants = Participants { users: &[author], usernames, ..Participants::default() };
    let locked = tx.users().lock_participants(participants).await?;
    if locked.users.iter().any(|user| user.id == author) {
        Ok(locked)
    } else {
        Err(Error::account_deleted())
    }
}
