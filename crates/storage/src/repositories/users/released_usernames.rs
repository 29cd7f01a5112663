//! The `released_usernames` table: names without an owner that are reserved for a while.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use grateful_domain::{ReleasedUsername, UserId, Username};

use super::Users;
use crate::query::Sql;
use crate::schema::released_usernames;
use crate::{Result, StorageError};

impl Users<'_> {
    /// Ends the reservation of a name that a user has just taken: `taker`, or a new account.
    ///
    /// Run this after the statement that gave the user the name. That statement waits for a transaction that gives the name
    /// up, and only a later statement sees what that transaction committed.
    ///
    /// # Errors
    /// `UniqueViolation` with [`Users::USERNAME_KEY`] if the name is reserved for another user.
    pub(super) async fn claim_username(
        &mut self,
        username: &Username,
        taker: Option<UserId>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let name = released_usernames::table.find(username.as_str().to_ascii_lowercase());
        let released: Option<(Option<i64>, DateTime<Utc>)> = diesel::delete(name)
            .returning((released_usernames::user_id, released_usernames::released_at))
            .get_result(self.conn)
            .await
            .optional()?;
        let Some((former_owner, released_at)) = released else { return Ok(()) };
        let released =
            ReleasedUsername { former_owner: former_owner.map(UserId::from), released_at };
        if released.can_be_taken(taker, now) {
            Ok(())
        } else {
            Err(StorageError::UniqueViolation { constraint: Self::USERNAME_KEY.to_owned() })
        }
    }

    /// Reserves a name that its owner no longer has. `former_owner` is `None` if the account was deleted.
    pub(super) async fn release_username(
        &mut self,
        username: &str,
        former_owner: Option<UserId>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        diesel::insert_into(released_usernames::table)
            .values((
                released_usernames::username.eq(username.to_ascii_lowercase()),
                released_usernames::user_id.eq(former_owner.map(i64::from)),
                released_usernames::released_at.eq(now),
            ))
            .on_conflict(released_usernames::username)
            .do_update()
            .set((
                released_usernames::user_id.eq(excluded(released_usernames::user_id)),
                released_usernames::released_at.eq(excluded(released_usernames::released_at)),
            ))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Deletes names whose reservation is over. Returns how many. A time in the future, from a clock that was ahead, becomes
    /// `now`, so that it reserves no name for longer.
    pub async fn sweep_released_usernames(&mut self, now: DateTime<Utc>) -> Result<usize> {
        let over = released_usernames::released_at.le(now - ReleasedUsername::RESERVATION);
        let deleted =
            diesel::delete(released_usernames::table.filter(over)).execute(self.conn).await?;
        let ahead = released_usernames::table.filter(released_usernames::released_at.gt(now));
        diesel::update(ahead)
            .set(released_usernames::released_at.eq(now))
            .execute(self.conn)
            .await?;
        Ok(deleted)
    }
}

/// A condition on `users`: the user has one of these names, given in lower case, or is the former owner of one that is
/// reserved.
pub(super) fn has_username(names: Vec<String>) -> Sql {
    Sql::new("users.id = ANY (ARRAY(SELECT named.id FROM users AS named WHERE lower(named.username) = ANY (")
        .value(names.clone())
        .sql(") UNION ALL SELECT released.user_id FROM released_usernames AS released WHERE released.username = ANY (")
        .value(names)
        .sql(")))")
}
