#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod attention;
mod focus;
mod format;
mod header;
mod jpeg;
mod limits;
mod picture;
mod png;
mod refusal;
mod resize;
mod sizes;
mod turn;
mod webp;
mod white;

pub use self::focus::{Focus, Square};
pub use self::format::Format;
pub use self::header::{Header, Purpose};
pub use self::limits::{MAX_BYTES, MAX_PIXELS, MAX_SIDE};
pub use self::picture::Picture;
pub use self::refusal::Refusal;
pub use self::sizes::{LARGE, MEDIUM, POST_SIDE, PostImage, ProfileSizes, SMALL, THUMBNAIL};
