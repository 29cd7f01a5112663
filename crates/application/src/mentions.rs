//! Whom a text names, inside the transaction of the act.

use grateful_domain::{Author, UserId};
use grateful_storage::{Connection, Participants, Repositories};

use crate::{Error, Result};

/// Those who have these names, of whom and of `author` the same is true as of [`Users::lock_participants`](grateful_storage::Users::lock_participants).
/// One statement, or none where nobody is named.
pub(crate) async fn hold_named(
    tx: &mut Connection,
    author: UserId,
    names: &[&str],
) -> Result<Vec<Author>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let participants =
        Participants { users: &[author], usernames: names, ..Participants::default() };
    let held = tx.users().lock_participants(participants).await?;
    if held.iter().any(|person| person.id == author) {
        Ok(held)
    } else {
        Err(Error::account_deleted())
    }
}

/// Those of `people` who have these names, in the order of the names.
pub(crate) fn called(names: &[&str], people: &[Author]) -> Vec<UserId> {
    let person = |name: &&str| {
        people.iter().find(|person| person.username.as_str().eq_ignore_ascii_case(name))
    };
    names.iter().filter_map(person).map(|person| person.id).collect()
}
