//! How often the password of an account may be guessed.

use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::Rate;

use crate::rate_limiter::Buckets;
use crate::{Error, Result};

/// Counts wrong passwords by account, in the memory of this node, whether or not there is such an account.
pub struct Guesses {
    /// By a keyed hash of the address: as long as any other, and nobody's secret.
    wrong: Option<Buckets<u64>>,
    hasher: RandomState,
}

impl Guesses {
    /// How many may be wrong unless configured otherwise (rules §9).
    pub const RATE: Rate = Rate::new(10, TimeDelta::minutes(15));

    /// So many may be wrong.
    pub fn at_most(rate: Rate) -> Self {
        Self { wrong: Some(Buckets::new(rate)), hasher: RandomState::new() }
    }

    /// Nobody counts.
    pub fn unlimited() -> Self {
        Self { wrong: None, hasher: RandomState::new() }
    }

    /// Counts a guess as wrong until it is known to be right, so that many at once are not more than one by one.
    ///
    /// # Errors
    /// `TooMany` where too many were wrong.
    pub(crate) fn begin(&self, email: &str, now: DateTime<Utc>) -> Result<Guess<'_>> {
        let Some(wrong) = &self.wrong else { return Ok(Guess { counted: None }) };
        let account = self.hasher.hash_one(email.trim().to_ascii_lowercase());
        match wrong.take(account, now) {
            Ok(_) => Ok(Guess { counted: Some((wrong, account)) }),
            Err(retry_after) => Err(Error::TooMany {
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
pub(crate) struct Guess<'a> {
    counted: Option<(&'a Buckets<u64>, u64)>,
}

impl Guess<'_> {
    /// It was wrong, and counts.
    pub(crate) fn was_wrong(mut self) {
        self.counted = None;
    }
}

impl Drop for Guess<'_> {
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

    fn two_an_hour() -> Guesses {
        Guesses::at_most(Rate::new(2, TimeDelta::hours(1)))
    }

    #[test]
    fn right_guesses_do_not_count() {
        let guesses = two_an_hour();

        for _ in 0..100 {
            drop(guesses.begin("ana@example.org", NOON).unwrap());
        }

        guesses.begin("ana@example.org", NOON).unwrap().was_wrong();
    }

    #[test]
    fn an_address_is_the_same_in_any_spelling() {
        let guesses = two_an_hour();
        guesses.begin("Ana@Example.org", NOON).unwrap().was_wrong();
        guesses.begin(" ana@example.ORG ", NOON).unwrap().was_wrong();

        assert!(guesses.begin("ana@example.org", NOON).is_err());
        assert!(guesses.begin("ben@example.org", NOON).is_ok());
        assert!(guesses.begin("ana@example.org", NOON + TimeDelta::minutes(30)).is_ok());
    }

    #[test]
    fn many_guesses_at_once_are_no_more_than_one_by_one() {
        let guesses = two_an_hour();

        let under_way = [(); 3].map(|()| guesses.begin("ana@example.org", NOON));

        assert_eq!(under_way.each_ref().map(Result::is_ok), [true, true, false]);
    }
}
