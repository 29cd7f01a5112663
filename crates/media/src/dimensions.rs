//! The check of width and height, before anything is decoded.

use crate::ImageError;
use crate::limits::{MAX_PIXELS, MAX_SIDE};

/// Rejects an image without pixels, and one that exceeds a limit.
pub(crate) fn check(width: u32, height: u32) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Corrupt);
    }
    if width.max(height) > MAX_SIDE {
        return Err(ImageError::SideTooLong { width, height });
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels { width, height });
    }
    Ok(())
}
