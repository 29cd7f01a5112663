//! The limits of accepted images, all checked before anything is decoded.

use crate::ImageError;

/// Maximum size of a file in bytes.
pub const MAX_BYTES: usize = 5_242_880;

/// Maximum number of pixels.
pub const MAX_PIXELS: u64 = 50_000_000;

/// Maximum width and maximum height in pixels.
pub const MAX_SIDE: u32 = 12_000;

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
