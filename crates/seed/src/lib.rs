#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod answers;
mod dice;
mod edges;
mod inboxes;
mod people;
mod posts;
mod size;
mod texts;
mod told;
mod words;
mod world;
mod zipf;

pub use self::inboxes::{FilledInbox, Quota};
pub use self::people::{Person, name_of};
pub use self::size::{Size, SizeError};
pub use self::world::{Heart, Reaction, World};
