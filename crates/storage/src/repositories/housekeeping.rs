//! What keeps several nodes from doing the same housekeeping: locks, and the `daily_jobs` table.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use diesel_async::RunQueryDsl;
use grateful_domain::MAX_CLOCK_SKEW;
use uuid::Uuid;

use crate::query::statement;
use crate::schema::daily_jobs;
use crate::{Connection, LockConnection, Result};

/// The repository of locks and claims for housekeeping.
pub struct Housekeeping<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// A job that one node does once a day for all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DailyJob {
    /// Delete files that no row names.
    SweepFiles,
}

impl DailyJob {
    /// The value of `daily_jobs.name`.
    const fn name(self) -> &'static str {
        match self {
            Self::SweepFiles => "sweep_files",
        }
    }
}

/// A claim of a daily job by one node.
#[derive(Debug, Clone, Copy)]
pub struct DailyClaim {
    /// The id of the attempt.
    pub id: Uuid,
    /// The job.
    pub job: DailyJob,
    /// When the attempt starts.
    pub at: DateTime<Utc>,
}

impl<C: LockConnection> Housekeeping<'_, C> {
    /// Locks a kind of housekeeping until the transaction ends. Returns `false`, without waiting, if another transaction has
    /// locked it. All nodes must number the kinds alike.
    pub async fn try_lock(&mut self, kind: i32) -> Result<bool> {
        Ok(TryLockHousekeeping { class: LOCK_CLASS, kind }.get_result(self.conn).await?)
    }
}

impl Housekeeping<'_> {
    /// How long a daily job counts as done.
    pub const INTERVAL: TimeDelta = TimeDelta::days(1);

    /// How long an attempt may take before its node counts as dead. Longer than a bucket of ten million files takes.
    pub const LEASE: TimeDelta = TimeDelta::hours(2);

    /// Claims a job unless it was done within [`INTERVAL`](Self::INTERVAL), or another node has claimed it within
    /// [`LEASE`](Self::LEASE). A time in the future, from a clock that was ahead, counts as past. Returns whether it did.
    pub async fn claim(&mut self, claim: &DailyClaim) -> Result<bool> {
        let is_due = daily_jobs::done_at
            .is_null()
            .or(daily_jobs::done_at.le(claim.at - Self::INTERVAL))
            .or(daily_jobs::done_at.ge(claim.at + MAX_CLOCK_SKEW));
        let is_free = daily_jobs::claimed_at
            .is_null()
            .or(daily_jobs::claimed_at.le(claim.at - Self::LEASE))
            .or(daily_jobs::claimed_at.ge(claim.at + MAX_CLOCK_SKEW));
        let attempt = (daily_jobs::claim.eq(claim.id), daily_jobs::claimed_at.eq(claim.at));
        let upsert = diesel::insert_into(daily_jobs::table)
            .values((daily_jobs::name.eq(claim.job.name()), attempt))
            .on_conflict(daily_jobs::name)
            .do_update()
            .set(attempt);
        // As a method, `filter` would be that of select statements.
        let claimed = diesel::query_dsl::methods::FilterDsl::filter(upsert, is_due.and(is_free));
        Ok(claimed.execute(self.conn).await? == 1)
    }

    /// Ends an attempt: the job is done at `done_at`, or with `None` it has failed and can be claimed again. Does nothing if
    /// another node has taken the job over.
    pub async fn end(&mut self, claim: &DailyClaim, done_at: Option<DateTime<Utc>>) -> Result<()> {
        let held = daily_jobs::table.find(claim.job.name()).filter(daily_jobs::claim.eq(claim.id));
        let no_claim =
            (daily_jobs::claim.eq(None::<Uuid>), daily_jobs::claimed_at.eq(None::<DateTime<Utc>>));
        match done_at {
            Some(at) => {
                diesel::update(held)
                    .set((no_claim, daily_jobs::done_at.eq(at)))
                    .execute(self.conn)
                    .await?
            }
            None => diesel::update(held).set(no_claim).execute(self.conn).await?,
        };
        Ok(())
    }
}

/// The class of the advisory locks for housekeeping: "swee" in ASCII, read as a big-endian number.
const LOCK_CLASS: i32 = i32::from_be_bytes(*b"swee");

statement! {
    TryLockHousekeeping { class: i32 as Integer, kind: i32 as Integer } -> Bool,
    "SELECT pg_try_advisory_xact_lock(:class, :kind)"
}
