//! What is taken at most, all of it known before a pixel is decoded.

use crate::ImageError;

/// Bytes of a file.
pub const MAX_BYTES: usize = 5_242_880;

/// Pixels of a picture.
pub const MAX_PIXELS: u64 = 50_000_000;

/// Pixels across, and pixels down.
pub const MAX_SIDE: u32 = 12_000;

/// Refuses a picture without pixels, and one with too many.
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
