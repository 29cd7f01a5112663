#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod alpha;
mod decoded_image;
mod dimensions;
mod error;
mod focus;
mod format;
mod header;
mod icc;
mod jpeg;
mod limits;
mod orientation;
mod png;
mod resize;
mod rgb_image;
mod sizes;
mod smart_crop;
mod webp;

pub use self::decoded_image::DecodedImage;
pub use self::error::ImageError;
pub use self::focus::{Focus, Square};
pub use self::format::ImageFormat;
pub use self::header::ImageHeader;
pub use self::limits::{MAX_BYTES, MAX_PIXELS, MAX_SIDE};
pub use self::sizes::{
    LARGE_SIDE, MAX_POST_SIDE, MEDIUM_SIDE, PostImage, ProfileSizes, Purpose, SMALL_SIDE,
    THUMBNAIL_SIDE,
};
