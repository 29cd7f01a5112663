//! Why a file is not taken.

use crate::limits::{MAX_BYTES, MAX_PIXELS, MAX_SIDE};

/// Why a file is not taken, in words for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// It begins like none of the formats.
    #[error("the file is no JPEG, PNG or WebP picture")]
    UnknownFormat,
    /// The file is too large.
    #[error("the picture has {bytes} bytes, and may have {MAX_BYTES} at most")]
    TooManyBytes {
        /// How many it has.
        bytes: usize,
    },
    /// The picture has too many pixels.
    #[error("the picture is {width} by {height}, and may have {} megapixels at most", MAX_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Pixels across, as the file says.
        width: u32,
        /// Pixels down, as the file says.
        height: u32,
    },
    /// The picture is too long or too high.
    #[error("the picture is {width} by {height}, and may be {MAX_SIDE} at most on either side")]
    SideTooLong {
        /// Pixels across, as the file says.
        width: u32,
        /// Pixels down, as the file says.
        height: u32,
    },
    /// A valid file, perhaps, of a kind that hardly anything writes.
    #[error("the picture uses {feature}, which is not supported")]
    Unsupported {
        /// What it is that is not supported.
        feature: &'static str,
    },
    /// The file is cut off, damaged, or something else that pretends.
    #[error("the picture is damaged or incomplete")]
    Corrupt,
}
