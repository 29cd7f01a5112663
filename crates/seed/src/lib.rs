#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod dataset;
mod dataset_size;
mod engagements;
mod events;
mod follows;
mod live_acts;
mod posts;
mod rng;
mod texts;
mod users;
mod word_lists;
mod zipf;

pub use self::dataset::{Dataset, GeneratedHeart, GeneratedReaction};
pub use self::dataset_size::{DatasetSize, DatasetSizeError};
pub use self::live_acts::{LiveAct, LiveActKind, LiveActs, LiveEngagement};
pub use self::users::{GeneratedUser, email_of, username_of};
