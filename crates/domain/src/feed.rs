//! The feed: scores, ranks, composition and cursors.
//!
//! All functions are pure and take any [`FeedConfig`], so that a service can rank and compose its own lists.

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
