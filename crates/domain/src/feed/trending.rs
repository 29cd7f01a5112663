//! Trending posts (docs/rules.md#trending).

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::{Engagement, elapsed_since};

/// The weights of the trending score (docs/rules.md#trending). To use other weights, copy [`TrendingConfig::STORED`] and
/// change fields.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TrendingConfig {
    pub heart_weight: f64,
    pub reaction_weight: f64,
    pub share_weight: f64,
    /// The bonus of a new post. It falls linearly to 0 at the end of the window.
    pub recency_bonus: f64,
}

impl TrendingConfig {
    /// Twice the weights of the ranked feed ([`FeedConfig::STORED`](crate::FeedConfig::STORED)). The trending query relies
    /// on this to find candidates by the stored rank; a test checks it.
    pub const STORED: Self =
        Self { heart_weight: 2.0, reaction_weight: 3.0, share_weight: 8.0, recency_bonus: 5.0 };

    /// Computes the trending score: the weighted engagement, plus [`recency_bonus`](Self::recency_bonus) times the part of
    /// the window that the post has left. `None` if the post is older than the window, has no
    /// engagement, or is dated in the future (see [`MAX_CLOCK_SKEW`](crate::MAX_CLOCK_SKEW)).
    ///
    /// All engagement of a post created inside the window happened inside the window, so the cached counts are enough.
    pub fn score(
        &self,
        engagement: Engagement,
        created_at: DateTime<Utc>,
        window: TrendingWindow,
        now: DateTime<Utc>,
    ) -> Option<f64> {
        let weight = self.heart_weight * f64::from(engagement.hearts)
            + self.reaction_weight * f64::from(engagement.reactions)
            + self.share_weight * f64::from(engagement.shares);
        let age = elapsed_since(created_at, now)?;
        let left = (window.0 - age).as_seconds_f64() / window.0.as_seconds_f64();
        (weight > 0.0 && 0.0 <= left).then_some(weight + self.recency_bonus * left)
    }
}

/// How old a trending post may be: 1 to 168 hours, 24 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrendingWindow(TimeDelta);

impl TrendingWindow {
    /// 24 hours.
    pub const DEFAULT: Self = Self(TimeDelta::hours(24));

    /// Parses a number of hours.
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

/// The number of hours is below 1 or above 168.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number of hours from 1 to 168")]
pub struct TrendingWindowError;

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums and products of these numbers are exact")]
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
    #[case(Engagement { hearts: 1, ..NONE }, -1, None)]
    #[case(Engagement { hearts: 1, ..NONE }, 25, None)]
    #[case(Engagement { comments: 9, ..NONE }, 0, None)]
    fn the_score_is_the_engagement_plus_the_recency_bonus(
        #[case] engagement: Engagement,
        #[case] age: i64,
        #[case] score: Option<f64>,
    ) {
        let created_at = DateTime::UNIX_EPOCH;
        let now = created_at + TimeDelta::hours(age);

        let actual =
            TrendingConfig::STORED.score(engagement, created_at, TrendingWindow::DEFAULT, now);

        assert_eq!(actual, score);
    }

    #[test]
    fn a_post_by_a_clock_slightly_ahead_scores_like_a_new_one() {
        let (now, engagement) = (DateTime::UNIX_EPOCH, Engagement { hearts: 1, ..NONE });
        let created_at = now + TimeDelta::seconds(1);

        let score =
            TrendingConfig::STORED.score(engagement, created_at, TrendingWindow::DEFAULT, now);

        assert_eq!(score, Some(7.0));
    }

    #[rstest]
    #[case(0)]
    #[case(169)]
    #[case(-1)]
    #[case(i64::MIN)]
    fn windows_out_of_bounds_are_rejected(#[case] hours: i64) {
        assert_eq!(TrendingWindow::parse(hours), Err(TrendingWindowError));
    }

    #[test]
    fn the_weights_are_twice_those_of_the_feed() {
        let (trending, feed) = (TrendingConfig::STORED, FeedConfig::STORED);

        assert_eq!(
            [trending.heart_weight, trending.reaction_weight, trending.share_weight],
            [2.0 * feed.heart_weight, 2.0 * feed.reaction_weight, 2.0 * feed.share_weight]
        );
    }
}
