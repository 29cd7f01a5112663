//! The feed: what a post is worth to somebody, in which order posts come, and how a reader walks through them.
//!
//! Pure, and open to any [`FeedConfig`]: a service can rank and compose lists of its own.

mod composition;
mod cursor;
mod score;
mod spacing;
mod trending;

pub use self::composition::{
    Candidate, CandidateList, CandidateLists, FeedItem, NeedMoreCandidates, Slot, compose,
};
pub use self::cursor::{FeedCursor, FeedPageRequest, FeedStart, SeenPostKey};
pub use self::score::{AuthorRelationship, FeedConfig, Score, Signals};
pub use self::trending::{TrendingConfig, TrendingWindow, TrendingWindowError};
