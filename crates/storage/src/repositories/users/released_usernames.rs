//! The `released_usernames` table: names without an owner that are reserved for a while.

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::prelude::*;
use diesel::query_source::AliasedField;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use grateful_domain::{ReleasedUsername, UserId, Username};

use super::Users;
use crate::query::{lower, statement};
use crate::repositories::expired_rows::delete_part;
use crate::schema::{released_usernames, users};
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

    /// Deletes up to `limit` names whose reservation is over. Returns their number.
    pub async fn sweep_released_usernames(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<i64> {
        let before = now - ReleasedUsername::RESERVATION;
        Ok(SweepReleasedUsernames { before, limit }.get_result(self.conn).await?)
    }

    /// Sets the times of up to `limit` names that are in the future, from a clock that was ahead, to `now`, so that no name is
    /// reserved for longer. Returns their number.
    pub async fn correct_released_usernames(
        &mut self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<i64> {
        Ok(CorrectReleasedUsernames { now, limit }.get_result(self.conn).await?)
    }
}

statement! {
    SweepReleasedUsernames { before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("released_usernames", "released_at", "released_at <= :before")
}

statement! {
    CorrectReleasedUsernames { now: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    "WITH ahead AS MATERIALIZED (
        SELECT username FROM released_usernames WHERE released_at > :now
        ORDER BY released_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), corrected AS (
        UPDATE released_usernames SET released_at = :now WHERE username = ANY (ARRAY(SELECT username FROM ahead))
        RETURNING username
    )
    SELECT count(*) FROM corrected"
}

// Under an alias, because the statement selects from `users` too.
diesel::alias!(users as named: Named);

/// The ids of the users who have one of these names, given in lower case, or are the former owners of one that is reserved.
/// With two conditions joined by OR, PostgreSQL would scan all users.
pub(super) fn ids_by_username(names: Vec<String>) -> current_and_former {
    current_and_former(names.clone(), names)
}

#[dsl::auto_type]
fn current_and_former(names: Vec<String>, same_names: Vec<String>) -> _ {
    let username: AliasedField<Named, users::username> = named.field(users::username);
    let id: AliasedField<Named, users::id> = named.field(users::id);
    let current = named.filter(lower(username).eq_any(names)).select(id);
    let former = released_usernames::table
        .filter(released_usernames::username.eq_any(same_names))
        .select(released_usernames::user_id.assume_not_null());
    current.union_all(former)
}
