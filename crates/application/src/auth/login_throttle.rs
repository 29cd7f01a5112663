//! Limits wrong passwords per account.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::Rate;

use crate::rate_limiter::RateLimiter;
use crate::{Error, Result};

/// Counts failed logins by email address in the memory of this node, whether or not the account exists. A wrong password
/// with which a signed-in user confirms an action counts too.
pub struct LoginThrottle {
    /// By a keyed hash of the address, which has a fixed length and does not reveal the address.
    failures: Option<RateLimiter<u64>>,
    hasher: RandomState,
}

impl LoginThrottle {
    /// The default limit of failed logins (docs/rules.md#request-limits).
    pub const RATE: Rate = Rate::new(10, TimeDelta::minutes(15));

    /// Creates a throttle that allows failed logins at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { failures: Some(RateLimiter::new(rate)), hasher: RandomState::new() }
    }

    /// No limit (tests, or `GRATEFUL_RATE_LIMITS=off`).
    pub fn unlimited() -> Self {
        Self { failures: None, hasher: RandomState::new() }
    }

    /// Begins a login attempt. It counts as failed until it is dropped, so that concurrent attempts cannot exceed the
    /// limit.
    ///
    /// # Errors
    /// `RateLimited` after too many failed logins.
    pub(crate) fn begin(&self, email: &str, now: DateTime<Utc>) -> Result<LoginAttempt<'_>> {
        let Some(failures) = &self.failures else { return Ok(LoginAttempt { counted: None }) };
        let account = self.hasher.hash_one(email.trim().to_ascii_lowercase());
        match failures.take(account, now) {
            Ok(_) => Ok(LoginAttempt { counted: Some((failures, account)) }),
            Err(retry_after) => Err(Error::RateLimited {
                policy: "failed-logins",
                limit: failures.rate().limit(),
                window: failures.rate().period(),
                retry_after,
                reason: "Too many failed attempts to log in, please try again later",
            }),
        }
    }
}

/// A login attempt in progress. Dropping it uncounts it, unless it was recorded as failed.
#[must_use]
pub(crate) struct LoginAttempt<'a> {
    counted: Option<(&'a RateLimiter<u64>, u64)>,
}

impl LoginAttempt<'_> {
    /// Keeps the attempt counted as failed.
    pub(crate) fn record_failure(mut self) {
        self.counted = None;
    }
}

impl Drop for LoginAttempt<'_> {
    fn drop(&mut self) {
        if let Some((failures, account)) = self.counted {
            failures.refund(account);
        }
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
    fn successful_logins_do_not_count() {
        let throttle = two_per_hour();

        for _ in 0..100 {
            drop(throttle.begin("ana@example.org", NOON).unwrap());
        }

        throttle.begin("ana@example.org", NOON).unwrap().record_failure();
    }

    #[test]
    fn case_and_surrounding_spaces_of_an_address_do_not_matter() {
        let throttle = two_per_hour();
        throttle.begin("Ana@Example.org", NOON).unwrap().record_failure();
        throttle.begin(" ana@example.ORG ", NOON).unwrap().record_failure();

        assert!(throttle.begin("ana@example.org", NOON).is_err());
        assert!(throttle.begin("ben@example.org", NOON).is_ok());
        assert!(throttle.begin("ana@example.org", NOON + TimeDelta::minutes(30)).is_ok());
    }

    #[test]
    fn concurrent_attempts_cannot_exceed_the_limit() {
        let throttle = two_per_hour();

        let attempts = [(); 3].map(|()| throttle.begin("ana@example.org", NOON));

        assert_eq!(attempts.each_ref().map(Result::is_ok), [true, true, false]);
    }
}
