//! How often the password of an account may be guessed.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::Rate;

use crate::rate_limiter::RateLimiter;
use crate::{Error, Result};

/// Counts wrong passwords by account, in the memory of this node, whether or not there is such an account.
pub struct LoginThrottle {
    /// By a keyed hash of the address: as long as any other, and nobody's secret.
    wrong: Option<RateLimiter<u64>>,
    hasher: RandomState,
}

impl LoginThrottle {
    /// How many may be wrong unless configured otherwise (rules §9).
    pub const RATE: Rate = Rate::new(10, TimeDelta::minutes(15));

    /// So many may be wrong.
    pub fn new(rate: Rate) -> Self {
        Self { wrong: Some(RateLimiter::new(rate)), hasher: RandomState::new() }
    }

    /// Nobody counts.
    pub fn unlimited() -> Self {
        Self { wrong: None, hasher: RandomState::new() }
    }

    /// Counts a guess as wrong until it is known to be right, so that many at once are not more than one by one.
    ///
    /// # Errors
    /// `RateLimited` where too many were wrong.
    pub(crate) fn begin(&self, email: &str, now: DateTime<Utc>) -> Result<LoginAttempt<'_>> {
        let Some(wrong) = &self.wrong else { return Ok(LoginAttempt { counted: None }) };
        let account = self.hasher.hash_one(email.trim().to_ascii_lowercase());
        match wrong.take(account, now) {
            Ok(_) => Ok(LoginAttempt { counted: Some((wrong, account)) }),
            Err(retry_after) => Err(Error::RateLimited {
                policy: "failed-logins",
                limit: wrong.rate().limit(),
                window: wrong.rate().period(),
                retry_after,
                reason: "Too many failed attempts to log in, please try again later",
            }),
        }
    }
}

/// A guess that is under way. It does not count unless it turns out to be wrong.
#[must_use]
pub(crate) struct LoginAttempt<'a> {
    counted: Option<(&'a RateLimiter<u64>, u64)>,
}

impl LoginAttempt<'_> {
    /// It was wrong, and counts.
    pub(crate) fn was_wrong(mut self) {
        self.counted = None;
    }
}

impl Drop for LoginAttempt<'_> {
    fn drop(&mut self) {
        if let Some((wrong, account)) = self.counted {
            wrong.give_back(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();

    fn two_an_hour() -> LoginThrottle {
        LoginThrottle::new(Rate::new(2, TimeDelta::hours(1)))
    }

    #[test]
    fn right_guesses_do_not_count() {
        let login_throttle = two_an_hour();

        for _ in 0..100 {
            drop(login_throttle.begin("ana@example.org", NOON).unwrap());
        }

        login_throttle.begin("ana@example.org", NOON).unwrap().was_wrong();
    }

    #[test]
    fn an_address_is_the_same_in_any_spelling() {
        let login_throttle = two_an_hour();
        login_throttle.begin("Ana@Example.org", NOON).unwrap().was_wrong();
        login_throttle.begin(" ana@example.ORG ", NOON).unwrap().was_wrong();

        assert!(login_throttle.begin("ana@example.org", NOON).is_err());
        assert!(login_throttle.begin("ben@example.org", NOON).is_ok());
        assert!(login_throttle.begin("ana@example.org", NOON + TimeDelta::minutes(30)).is_ok());
    }

    #[test]
    fn many_guesses_at_once_are_no_more_than_one_by_one() {
        let login_throttle = two_an_hour();

        let under_way = [(); 3].map(|()| login_throttle.begin("ana@example.org", NOON));

        assert_eq!(under_way.each_ref().map(Result::is_ok), [true, true, false]);
    }
}
