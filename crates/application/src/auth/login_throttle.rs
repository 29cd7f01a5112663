//! Limits wrong passwords per account.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{Bucket, Rate};
use grateful_storage::{Database, EmailHash, Repositories};

use crate::rate_limiter::RateLimiter;
use crate::{Error, Result};

/// Counts failed logins by email address, whether or not the account exists. A wrong password with which a signed-in user
/// confirms an action counts too.
///
/// The database counts the failures on all nodes. The memory of this node counts the attempts in progress as well, so that
/// concurrent attempts on one node cannot exceed the limit.
pub struct LoginThrottle {
    attempts: Option<RateLimiter<EmailHash>>,
}

impl LoginThrottle {
    /// The default limit of failed logins (docs/rules.md#request-limits).
    pub const RATE: Rate = Rate::new(10, TimeDelta::minutes(15));

    /// Creates a throttle that allows failed logins at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { attempts: Some(RateLimiter::new(rate)) }
    }

    /// No limit (tests, or `GRATEFUL_RATE_LIMITS=off`).
    pub fn unlimited() -> Self {
        Self { attempts: None }
    }

    /// Begins a login attempt. It counts as failed until it is dropped.
    ///
    /// # Errors
    /// `RateLimited` after too many failed logins on this node.
    pub(crate) fn begin(&self, email: &str, now: DateTime<Utc>) -> Result<LoginAttempt<'_>> {
        let Some(attempts) = &self.attempts else { return Ok(LoginAttempt { counted: None }) };
        let account = EmailHash::of(email);
        match attempts.take(account, now) {
            Ok(_) => Ok(LoginAttempt { counted: Some((attempts, account)) }),
            Err(retry_after) => Err(rate_limited(attempts.rate(), retry_after)),
        }
    }
}

/// A login attempt in progress. Dropping it uncounts it, unless it has failed.
#[must_use]
pub(crate) struct LoginAttempt<'a> {
    counted: Option<(&'a RateLimiter<EmailHash>, EmailHash)>,
}

impl LoginAttempt<'_> {
    /// Ends an attempt whose password was verified, and counts a wrong one for all nodes. The count is read before the result
    /// makes a difference, so that a rejected attempt takes as long with the right password as with a wrong one.
    ///
    /// # Errors
    /// `RateLimited` after too many failed logins on all nodes, even if the password is right.
    pub(crate) async fn finish(
        mut self,
        db: &Database,
        is_correct: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some((attempts, account)) = self.counted else { return Ok(()) };
        let rate = attempts.rate();
        if let Some(retry_after) = find_wait(db, account, rate, now).await? {
            return Err(rate_limited(rate, retry_after));
        }
        if is_correct {
            return Ok(());
        }
        let recorded = db.acquire().await?.failed_logins().record(account, rate, now).await;
        if !matches!(recorded, Ok(false)) {
            self.counted = None;
        }
        if recorded? {
            return Ok(());
        }
        // Attempts on other nodes have failed meanwhile.
        let retry_after = find_wait(db, account, rate, now).await?;
        Err(rate_limited(rate, retry_after.unwrap_or_else(|| rate.time_per_token())))
    }
}

impl Drop for LoginAttempt<'_> {
    fn drop(&mut self) {
        if let Some((attempts, account)) = self.counted {
            attempts.refund(account);
        }
    }
}

/// How long to wait for the next attempt, by the failures on all nodes. `None` if it is allowed now.
async fn find_wait(
    db: &Database,
    account: EmailHash,
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>> {
    let bucket = db.read(async |mut conn| conn.failed_logins().find(account).await).await?;
    Ok(bucket.unwrap_or(Bucket::full(now)).take(rate, now).err())
}

fn rate_limited(rate: Rate, retry_after: TimeDelta) -> Error {
    Error::RateLimited {
        policy: "failed-logins",
        limit: rate.limit(),
        window: rate.period(),
        retry_after,
        reason: "Too many failed attempts to log in, please try again later",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();

    fn two_per_hour() -> LoginThrottle {
        LoginThrottle::new(Rate::new(2, TimeDelta::hours(1)))
    }

    #[test]
    fn attempts_that_did_not_fail_do_not_count() {
        let throttle = two_per_hour();

        for _ in 0..100 {
            drop(throttle.begin("ana@example.org", NOON).unwrap());
        }
    }

    #[test]
    fn concurrent_attempts_cannot_exceed_the_limit_however_the_address_is_spelled() {
        let throttle = two_per_hour();

        let attempts = ["Ana@Example.org", " ana@example.ORG ", "ana@example.org"]
            .map(|spelling| throttle.begin(spelling, NOON));

        assert_eq!(attempts.each_ref().map(Result::is_ok), [true, true, false]);
        assert!(throttle.begin("ben@example.org", NOON).is_ok());
    }
}
