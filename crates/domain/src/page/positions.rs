//! Positions of posts in lists that are not ordered by time.

use chrono::{DateTime, Utc};

use crate::PostId;

/// The position of a post in a list ordered by rank, highest first; ties by time, newest first, then by id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankPosition {
    /// The stored rank, see [`FeedConfig::rank`](crate::FeedConfig::rank).
    pub rank: f64,
    /// When the post was created.
    pub at: DateTime<Utc>,
    /// Breaks ties between posts with the same rank and time.
    pub id: PostId,
}

/// The position of a post in a list ordered by hearts, then emoji reactions, then shares, most first; ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngagementPosition {
    pub hearts: i32,
    pub reactions: i32,
    pub shares: i32,
    pub id: PostId,
}
