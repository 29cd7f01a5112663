//! Why a file is rejected.

use crate::limits::{MAX_BYTES, MAX_PIXELS, MAX_SIDE};

/// Why a file is rejected, with a message for the user who uploaded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file's first bytes match none of the formats.
    #[error("the file is not a JPEG, PNG or WebP image")]
    UnknownFormat,
    /// The file is too large.
    #[error("the image has {bytes} bytes; the maximum is {MAX_BYTES}")]
    TooManyBytes {
        /// The file's size.
        bytes: usize,
    },
    /// The image has too many pixels.
    #[error("the image is {width} by {height} pixels; the maximum is {} megapixels", MAX_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Width according to the file.
        width: u32,
        /// Height according to the file.
        height: u32,
    },
    /// The image is too wide or too high.
    #[error("the image is {width} by {height} pixels; the maximum side is {MAX_SIDE} pixels")]
    SideTooLong {
        /// Width according to the file.
        width: u32,
        /// Height according to the file.
        height: u32,
    },
    /// The file may be valid, but uses a rare feature.
    #[error("the image uses {feature}, which is not supported")]
    Unsupported {
        /// The feature.
        feature: &'static str,
    },
    /// The file is truncated, damaged, or not an image despite its first bytes.
    #[error("the image is damaged or incomplete")]
    Corrupt,
}
