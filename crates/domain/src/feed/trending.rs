//! What moves people right now.

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::Engagement;

/// What weighs how much in what is trending (rules §1). For other weights, take [`TrendingConfig::STORED`] and set what
/// differs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TrendingConfig {
    pub heart: f64,
    pub reaction: f64,
    pub share: f64,
    /// What a post has that was made just now; one as old as the window has nothing of it.
    pub newness: f64,
}

impl TrendingConfig {
    /// Twice the engagement of the ranked feed ([`FeedConfig::STORED`](crate::FeedConfig::STORED)): reading what is trending
    /// from the stored rank rests on that, and a test holds it.
    pub const STORED: Self = Self { heart: 2.0, reaction: 3.0, share: 8.0, newness: 5.0 };

    /// How much a post moves people, unless it is older than the window or moved nobody: its weighted engagement, and of
    /// [`newness`](Self::newness) the part of the window that it has left (rules §1).
    ///
    /// A post that was made inside the window has all its engagement inside it, so the numbers that it carries are enough.
    pub fn score(
        &self,
        engagement: Engagement,
        created_at: DateTime<Utc>,
        window: TrendingWindow,
        now: DateTime<Utc>,
    ) -> Option<f64> {
        let weight = self.heart * f64::from(engagement.hearts)
            + self.reaction * f64::from(engagement.reactions)
            + self.share * f64::from(engagement.shares);
        // Another node's clock may be ahead.
        let age = (now - created_at).max(TimeDelta::zero());
        let left = (window.0 - age).as_seconds_f64() / window.0.as_seconds_f64();
        (weight > 0.0 && 0.0 <= left).then_some(weight + self.newness * left)
    }
}

/// How far back one looks for what is trending: 1 to 168 hours, 24 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendingWindow(TimeDelta);

impl TrendingWindow {
    /// A day.
    pub const DEFAULT: Self = Self(TimeDelta::hours(24));

    /// Checks a number of hours.
    ///
    /// # Errors
    /// Fewer than 1 or more than 168.
    pub fn parse(hours: i64) -> Result<Self, TrendingWindowError> {
        match hours {
            1..=168 => Ok(Self(TimeDelta::hours(hours))),
            _ => Err(TrendingWindowError),
        }
    }
}

impl From<TrendingWindow> for TimeDelta {
    fn from(window: TrendingWindow) -> Self {
        window.0
    }
}

/// A window that is empty, or longer than a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number of hours from 1 to 168")]
pub struct TrendingWindowError;

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums and products of such numbers are exact")]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::FeedConfig;

    const NONE: Engagement = Engagement { hearts: 0, reactions: 0, shares: 0, comments: 0 };

    #[rstest]
    #[case(Engagement { hearts: 1, ..NONE }, 0, Some(7.0))]
    #[case(Engagement { reactions: 1, ..NONE }, 12, Some(5.5))]
    #[case(Engagement { shares: 1, ..NONE }, 24, Some(8.0))]
    #[case(Engagement { hearts: 1, reactions: 1, shares: 1, comments: 9 }, 24, Some(13.0))]
    #[case(Engagement { hearts: 1, ..NONE }, -1, Some(7.0))]
    #[case(Engagement { hearts: 1, ..NONE }, 25, None)]
    #[case(Engagement { comments: 9, ..NONE }, 0, None)]
    fn engagement_counts_and_newness_adds_to_it(
        #[case] engagement: Engagement,
        #[case] age: i64,
        #[case] score: Option<f64>,
    ) {
        let created_at = DateTime::UNIX_EPOCH;
        let now = created_at + TimeDelta::hours(age);

        let is = TrendingConfig::STORED.score(engagement, created_at, TrendingWindow::DEFAULT, now);

        assert_eq!(is, score);
    }

    #[rstest]
    #[case(0)]
    #[case(169)]
    #[case(-1)]
    #[case(i64::MIN)]
    fn windows_out_of_bounds_are_refused(#[case] hours: i64) {
        assert_eq!(TrendingWindow::parse(hours), Err(TrendingWindowError));
    }

    #[test]
    fn the_weights_are_twice_those_of_the_feed() {
        let (trending, feed) = (TrendingConfig::STORED, FeedConfig::STORED);

        assert_eq!(
            [trending.heart, trending.reaction, trending.share],
            [2.0 * feed.heart, 2.0 * feed.reaction, 2.0 * feed.share]
        );
    }
}
