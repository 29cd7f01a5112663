//! The `failed_logins` table: wrong passwords by account, counted by all nodes together.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{Bucket, Rate};
use sha2::{Digest, Sha256};

use super::expired_rows::delete_part;
use crate::query::statement;
use crate::schema::failed_logins;
use crate::{Connection, ReadConnection, Result};

/// The repository of failed logins: a token bucket for each account. One without a row is full.
pub struct FailedLogins<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// The SHA-256 hash of an email address, in any case and with or without surrounding spaces. An account need not have it.
///
/// It keeps addresses that were only typed out of the database. It is no secret: anyone can hash an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EmailHash([u8; 32]);

impl EmailHash {
    /// Hashes an address, which need not be valid.
    pub fn of(email: &str) -> Self {
        Self(Sha256::digest(email.trim().to_ascii_lowercase()).into())
    }
}

impl fmt::Debug for EmailHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailHash(…)")
    }
}

impl<C: ReadConnection> FailedLogins<'_, C> {
    /// Finds the bucket of an account. `None` if it is full.
    pub async fn find(&mut self, email: EmailHash) -> Result<Option<Bucket>> {
        let full_at = failed_logins::table
            .find(&email.0[..])
            .select(failed_logins::full_at)
            .first(self.conn)
            .await
            .optional()?;
        Ok(full_at.map(Bucket::from_stored))
    }
}

impl FailedLogins<'_> {
    /// Takes a token of the account, as [`Bucket::take`] does. Returns `false` if none is available.
    pub async fn record(
        &mut self,
        email: EmailHash,
        rate: Rate,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let one_missing = now + rate.time_per_token();
        let empty = now + rate.time_to_refill();
        let one_left = empty - rate.time_per_token();
        let email = email.0.to_vec();
        let record = RecordFailedLogin { email, now, one_missing, one_left, empty };
        Ok(record.get_result::<bool>(self.conn).await.optional()?.is_some())
    }

    /// Deletes up to `limit` full buckets. Returns their number.
    pub async fn sweep(&mut self, now: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(SweepFailedLogins { now, limit }.get_result(self.conn).await?)
    }
}

statement! {
    /// [`Bucket::take`] in SQL: a bucket that is full later than an empty one is from a clock that was ahead, and counts as full.
    RecordFailedLogin {
        email: Vec<u8> as Binary, now: DateTime<Utc> as Timestamptz, one_missing: DateTime<Utc> as Timestamptz,
        one_left: DateTime<Utc> as Timestamptz, empty: DateTime<Utc> as Timestamptz,
    } -> Bool,
    "INSERT INTO failed_logins AS bucket (email_hash, full_at) VALUES (:email, :one_missing)
     ON CONFLICT (email_hash) DO UPDATE SET full_at = CASE
         WHEN bucket.full_at BETWEEN :now AND :empty THEN bucket.full_at + (:one_missing - :now)
         ELSE :one_missing
     END
     WHERE bucket.full_at <= :one_left OR :empty < bucket.full_at
     RETURNING true"
}

statement! {
    SweepFailedLogins { now: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("failed_logins", "full_at", "full_at <= :now")
}
