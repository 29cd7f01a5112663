//! The `idempotency_keys` table: requests that must have one effect, however often they arrive.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;
use uuid::Uuid;

use crate::schema::idempotency_keys;
use crate::{Connection, Result};

/// Idempotency keys, as seen through one connection.
pub struct IdempotencyKeys<'c> {
    pub(super) conn: &'c mut Connection,
}

/// One attempt at a request that carries a key.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which attempt.
    pub id: Uuid,
    /// Whose request: keys of different people never meet.
    pub user: UserId,
    /// The key as sent, at most 64 characters.
    pub key: String,
    /// The SHA-256 hash of the request, by which another request under the same key is told apart.
    pub fingerprint: [u8; 32],
    /// When this attempt began.
    pub at: DateTime<Utc>,
}

/// What came of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The act is this attempt's to do.
    Acquired,
    /// It was done: this was the answer.
    Completed(Vec<u8>),
    /// Another attempt is at it.
    InFlight,
    /// The key belongs to another request.
    FingerprintMismatch,
}

impl IdempotencyKeys<'_> {
    /// How long an answer is kept.
    pub const RETENTION: TimeDelta = TimeDelta::hours(24);

    /// How long an attempt may be at it before it counts as dead: longer than any request lives.
    pub const LEASE: TimeDelta = TimeDelta::seconds(60);

    /// Claims the key for this attempt. Commit it before the act, so that others see it.
    ///
    /// # Errors
    /// `Missing` where its user is gone, by `idempotency_keys_user_id_fkey`.
    pub async fn claim(&mut self, claim: &Claim) -> Result<ClaimOutcome> {
        if self.take(claim).await? {
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
            Some((_, Some(answer))) => ClaimOutcome::Completed(answer),
            // Without a row, it was let go between the two statements: the next attempt will get it.
            Some((_, None)) | None => ClaimOutcome::InFlight,
        })
    }

    /// Inserts the claim, or takes over a row that has lapsed or is too old to matter.
    async fn take(&mut self, claim: &Claim) -> Result<bool> {
        let lapsed = idempotency_keys::answer
            .is_null()
            .and(idempotency_keys::claimed_at.lt(claim.at - Self::LEASE));
        let forgotten = idempotency_keys::claimed_at.lt(claim.at - Self::RETENTION);
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
        // Not as a method: that would be the one of queries.
        let taken = diesel::query_dsl::methods::FilterDsl::filter(upsert, lapsed.or(forgotten))
            .execute(self.conn)
            .await?;
        Ok(taken == 1)
    }

    /// Keeps the answer; call it in the act's own transaction. Tells whether the key is still this attempt's: if
    /// not, another one took over, and the act must be rolled back.
    pub async fn complete(&mut self, claim: &Claim, answer: &[u8]) -> Result<bool> {
        let ours = idempotency_keys::table
            .find((i64::from(claim.user), &claim.key))
            .filter(idempotency_keys::claim.eq(claim.id));
        let settled = diesel::update(ours)
            .set(idempotency_keys::answer.eq(answer))
            .execute(self.conn)
            .await?;
        Ok(settled == 1)
    }

    /// Lets the key go after the act failed and left nothing behind.
    pub async fn release(&mut self, claim: &Claim) -> Result<()> {
        let ours = idempotency_keys::table
            .find((i64::from(claim.user), &claim.key))
            .filter(idempotency_keys::claim.eq(claim.id))
            .filter(idempotency_keys::answer.is_null());
        diesel::delete(ours).execute(self.conn).await?;
        Ok(())
    }

    /// Removes the keys that are too old to matter. Tells how many there were.
    pub async fn sweep(&mut self, now: DateTime<Utc>) -> Result<usize> {
        let old =
            idempotency_keys::table.filter(idempotency_keys::claimed_at.lt(now - Self::RETENTION));
        Ok(diesel::delete(old).execute(self.conn).await?)
    }
}
