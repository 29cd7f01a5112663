//! The `idempotency_keys` table: requests that take effect once, however often they are sent.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{MAX_CLOCK_SKEW, UserId};
use uuid::Uuid;

use super::expired_rows::delete_part;
use crate::query::statement;
use crate::schema::idempotency_keys;
use crate::{Connection, Result};

/// The repository of idempotency keys.
pub struct IdempotencyKeys<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// A claim of an idempotency key by one attempt at a request.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The id of the attempt.
    pub id: Uuid,
    /// The user who sends the request. Keys of different users are independent.
    pub user: UserId,
    /// The key as sent, at most 64 characters.
    pub key: String,
    /// The SHA-256 hash of the request, to detect a different request with the same key.
    pub fingerprint: [u8; 32],
    /// When the attempt started.
    pub at: DateTime<Utc>,
}

/// The result of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// This attempt may execute the request.
    Acquired,
    /// The request was executed before, with this response.
    Completed(Vec<u8>),
    /// Another attempt is executing the request.
    InFlight,
    /// The key was used for a different request.
    FingerprintMismatch,
}

impl IdempotencyKeys<'_> {
    /// How long a response is kept.
    pub const RETENTION: TimeDelta = TimeDelta::hours(24);

    /// How long an attempt may take before it counts as dead. Longer than the longest request.
    pub const LEASE: TimeDelta = TimeDelta::seconds(60);

    /// Claims the key for this attempt. Commit this before executing the request, so that other attempts see it.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `idempotency_keys_user_id_fkey` if the user does not exist.
    pub async fn claim(&mut self, claim: &Claim) -> Result<ClaimOutcome> {
        if self.acquire(claim).await? {
            return Ok(ClaimOutcome::Acquired);
        }
        let holder = idempotency_keys::table
            .find((i64::from(claim.user), &claim.key))
            .select((idempotency_keys::fingerprint, idempotency_keys::answer))
            .first::<(Vec<u8>, Option<Vec<u8>>)>(self.conn)
            .await
            .optional()?;
        Ok(match holder {
            Some((fingerprint, _)) if fingerprint != claim.fingerprint => {
                ClaimOutcome::FingerprintMismatch
            }
            Some((_, Some(response))) => ClaimOutcome::Completed(response),
            // No row: the holder released the key between the two statements. The next attempt will acquire it.
            Some((_, None)) | None => ClaimOutcome::InFlight,
        })
    }

    /// Inserts the claim, or takes over a row whose lease or retention has expired. A lease that begins in the future, by a
    /// clock that was ahead, counts as expired. A response from then is still replayed. Returns whether it did.
    async fn acquire(&mut self, claim: &Claim) -> Result<bool> {
        let lease_expired = idempotency_keys::answer.is_null().and(
            idempotency_keys::claimed_at
                .lt(claim.at - Self::LEASE)
                .or(idempotency_keys::claimed_at.ge(claim.at + MAX_CLOCK_SKEW)),
        );
        let retention_expired = idempotency_keys::claimed_at.lt(claim.at - Self::RETENTION);
        let row = (
            idempotency_keys::fingerprint.eq(&claim.fingerprint[..]),
            idempotency_keys::claim.eq(claim.id),
            idempotency_keys::claimed_at.eq(claim.at),
            idempotency_keys::answer.eq(None::<&[u8]>),
        );
        let upsert = diesel::insert_into(idempotency_keys::table)
            .values((
                idempotency_keys::user_id.eq(i64::from(claim.user)),
                idempotency_keys::key.eq(&claim.key),
                row,
            ))
            .on_conflict((idempotency_keys::user_id, idempotency_keys::key))
            .do_update()
            .set(row);
        // As a method, `filter` would be that of select statements.
        let acquired = diesel::query_dsl::methods::FilterDsl::filter(
            upsert,
            lease_expired.or(retention_expired),
        )
        .execute(self.conn)
        .await?;
        Ok(acquired == 1)
    }

    /// Stores the response. Call this in the transaction of the request. Returns whether this attempt still holds the key.
    /// If not, another attempt took over, and the transaction must be rolled back.
    pub async fn complete(&mut self, claim: &Claim, response: &[u8]) -> Result<bool> {
        let held = idempotency_keys::table
            .find((i64::from(claim.user), &claim.key))
            .filter(idempotency_keys::claim.eq(claim.id));
        let completed = diesel::update(held)
            .set(idempotency_keys::answer.eq(response))
            .execute(self.conn)
            .await?;
        Ok(completed == 1)
    }

    /// Releases the key after the request failed without any effect.
    pub async fn release(&mut self, claim: &Claim) -> Result<()> {
        let held = idempotency_keys::table
            .find((i64::from(claim.user), &claim.key))
            .filter(idempotency_keys::claim.eq(claim.id))
            .filter(idempotency_keys::answer.is_null());
        diesel::delete(held).execute(self.conn).await?;
        Ok(())
    }

    /// Deletes up to `limit` keys whose retention has expired. Returns their number.
    pub async fn sweep(&mut self, now: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(SweepIdempotencyKeys { before: now - Self::RETENTION, limit }
            .get_result(self.conn)
            .await?)
    }
}

statement! {
    SweepIdempotencyKeys { before: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("idempotency_keys", "claimed_at", "claimed_at < :before")
}
