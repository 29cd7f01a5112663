//! Where a post stands in lists that are not ordered by time.

use chrono::{DateTime, Utc};

use crate::{Post, PostId};

/// The place of a post in a list by rank, the best first: of equal ones the newest, ties by id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankPosition {
    /// As it is stored: see [`FeedConfig`](crate::FeedConfig).
    pub rank: f64,
    /// When it was posted.
    pub at: DateTime<Utc>,
    /// Which of those with the same time.
    pub id: PostId,
}

/// The place of a post in a list by engagement: by hearts, then emoji reactions, then shares, the most first, ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngagementPosition {
    pub hearts: i32,
    pub reactions: i32,
    pub shares: i32,
    pub id: PostId,
}

impl Post {
    /// Its place in lists by engagement.
    pub fn engagement_position(&self) -> EngagementPosition {
        let engagement = self.engagement;
        EngagementPosition {
            hearts: engagement.hearts,
            reactions: engagement.reactions,
            shares: engagement.shares,
            id: self.id,
        }
    }
}
