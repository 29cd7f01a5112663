//! The feed: what a post is worth to somebody, in which order posts come, and how a reader walks through them.
//!
//! Pure, and open to any [`FeedConfig`]: a service can rank and compose lists of its own.

mod composition;
mod score;
mod spacing;
mod trending;
mod walk;

pub use self::composition::{Candidate, Placed, Slot, Source, Sources, Starved, compose};
pub use self::score::{FeedConfig, Relationship, Score, Signals};
pub use self::trending::{TrendingConfig, TrendingWindow, TrendingWindowError};
pub use self::walk::{ServedKey, Stretch, Walk, WalkStart};
