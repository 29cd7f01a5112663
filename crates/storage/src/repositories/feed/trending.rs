//! What is trending, without reading all that was posted inside the window.
//!
//! The weight of a post is twice its engagement, and newness adds [`TrendingConfig::recency_bonus`] at most. So with a weight `w`
//! that as many posts inside the window have as are asked for, whatever is trending has an engagement of `(w - newness) / 2`
//! or more, and is not older than the window: its rank tells so, and the index on ranks has an end to read to.
//!
//! **What is read.** The best ranked posts inside the window that moved somebody, ten for each that is asked for, which give
//! `w`; then those that are ranked high enough for it. With a window of a day that is what has about half as much engagement
//! as what is trending, and older posts that rank as high. Where hardly anybody is moved, it is all that was posted inside
//! the window. Nothing is read that could not even be inside the window.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Double, Nullable, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{FeedConfig, Limit, TrendingConfig, TrendingWindow, Viewer};

use crate::query::statement;

statement! {
    /// A test holds its order against the domain's.
    pub(super) Trending(
        viewer: Option<i64> as Nullable<BigInt>, now: DateTime<Utc> as Timestamptz, since: DateTime<Utc> as Timestamptz,
        limit: i64 as BigInt, heart: f64 as Double, reaction: f64 as Double, share: f64 as Double, newness: f64 as Double,
        oldest: f64 as Double
    ) -> SqlUuid {
        concat!("away AS MATERIALIZED (", blocked_users!(), "), promising AS MATERIALIZED (
            SELECT * FROM (
                SELECT $5 * hearts_count + $6 * reactions_count + $7 * shares_count AS weight FROM posts
                WHERE is_public AND rank >= $9 AND rank <= 'infinity' AND created_at >= $3
                    AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
                    AND NOT (author_id = ANY (SELECT id FROM away))
                ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1000
            ) AS part LIMIT 10 * $4
        ), bar AS MATERIALIZED (
            SELECT weight FROM promising ORDER BY weight DESC LIMIT 1 OFFSET $4 - 1
        )
        SELECT id FROM posts
        WHERE is_public AND created_at >= $3 AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
            AND NOT (author_id = ANY (SELECT id FROM away))
            -- A little less, since numbers of this size are exact to about 1e-11.
            AND rank >= $9 - 1e-6 + coalesce((SELECT ln(greatest((weight - $8) / 2, 1)) / ln(2::float8) FROM bar), 0)
            AND rank <= 'infinity'
        ORDER BY $5 * hearts_count + $6 * reactions_count + $7 * shares_count
            + $8 * (1 - greatest(extract(epoch FROM $2 - created_at), 0)::float8 / extract(epoch FROM $2 - $3)::float8) DESC,
            created_at DESC, id DESC
        LIMIT $4")
    }
}

impl Trending {
    pub(super) fn of(
        viewer: Viewer,
        window: TrendingWindow,
        now: DateTime<Utc>,
        limit: Limit,
    ) -> Self {
        let TrendingConfig {
            heart_weight: heart,
            reaction_weight: reaction,
            share_weight: share,
            recency_bonus: newness,
            ..
        } = TrendingConfig::STORED;
        let since = now - TimeDelta::from(window);
        // The rank of the oldest post inside the window that one person gave a heart, and no less.
        let half_life = FeedConfig::STORED.half_life.as_seconds_f64();
        let oldest = (since - DateTime::UNIX_EPOCH).as_seconds_f64() / half_life;
        Self {
            viewer: viewer.user().map(i64::from),
            now,
            since,
            limit: limit.into(),
            heart,
            reaction,
            share,
            newness,
            oldest,
        }
    }
}
