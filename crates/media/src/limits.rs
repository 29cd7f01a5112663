//! The limits of accepted images, all checked before anything is decoded.

/// Maximum size of a file in bytes.
pub const MAX_BYTES: usize = 5_242_880;

/// Maximum number of pixels.
pub const MAX_PIXELS: u64 = 50_000_000;

/// Maximum width and maximum height in pixels.
pub const MAX_SIDE: u32 = 12_000;
