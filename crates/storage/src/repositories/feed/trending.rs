//! Trending posts, without reading all posts of the window.
//!
//! The weight of a post is twice its engagement, plus at most [`TrendingConfig::recency_bonus`]. Let `w` be a weight that
//! `limit` posts of the window reach without the bonus. Then every trending post has an engagement of at least
//! `(w - recency_bonus) / 2`, and is not older than the window. Together, these are a lower bound for its rank, so a scan of
//! the rank index can stop there.
//!
//! **Rows read.** First the best-ranked posts of the window that have engagement, ten times as many as the limit. They give
//! `w`. Then the posts above the lower bound: with a window of a day, posts with at least about half the engagement of the
//! trending posts, and older posts with as high a rank. If there is hardly any engagement, these are all posts of the
//! window. Posts whose rank is too low for any post of the window are never read, nor are posts dated in the future.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Double, Nullable, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{FeedConfig, Limit, MAX_CLOCK_SKEW, TrendingConfig, TrendingWindow, Viewer};

use crate::query::statement;

statement! {
    /// A test compares the order with that of the domain.
    pub(super) Trending {
        viewer: Option<i64> as Nullable<BigInt>,
        now: DateTime<Utc> as Timestamptz,
        since: DateTime<Utc> as Timestamptz,
        limit: i64 as BigInt,
        heart_weight: f64 as Double,
        reaction_weight: f64 as Double,
        share_weight: f64 as Double,
        recency_bonus: f64 as Double,
        min_rank: f64 as Double,
        until: DateTime<Utc> as Timestamptz,
    } -> SqlUuid,
    include_str!("trending.sql")
}

impl Trending {
    pub(super) fn of(
        viewer: Viewer,
        window: TrendingWindow,
        now: DateTime<Utc>,
        limit: Limit,
    ) -> Self {
        let TrendingConfig { heart_weight, reaction_weight, share_weight, recency_bonus, .. } =
            TrendingConfig::STORED;
        let since = now - TimeDelta::from(window);
        // The rank of a post at the start of the window with a single heart. Every trending post has at least this rank.
        let half_life = FeedConfig::STORED.half_life.as_seconds_f64();
        let min_rank = (since - DateTime::UNIX_EPOCH).as_seconds_f64() / half_life;
        Self {
            viewer: viewer.user().map(i64::from),
            now,
            since,
            limit: limit.into(),
            heart_weight,
            reaction_weight,
            share_weight,
            recency_bonus,
            min_rank,
            until: now + MAX_CLOCK_SKEW,
        }
    }
}
