//! What is made of a picture.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder};

use crate::Purpose;

/// The side of the smallest square of a profile.
pub const THUMBNAIL: u32 = 64;

/// The side of the second square of a profile.
pub const SMALL: u32 = 128;

/// The side of the third square of a profile.
pub const MEDIUM: u32 = 256;

/// The side of the largest square of a profile.
pub const LARGE: u32 = 512;

/// The longest side of a picture in a post, at most.
pub const POST_SIDE: u32 = 2048;

/// What all pictures are written with, of 100.
const QUALITY: u8 = 85;

/// Four squares of a picture, each a progressive JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSizes {
    /// 64 by 64.
    pub thumbnail: Vec<u8>,
    /// 128 by 128.
    pub small: Vec<u8>,
    /// 256 by 256.
    pub medium: Vec<u8>,
    /// 512 by 512.
    pub large: Vec<u8>,
}

/// A picture for a post, a progressive JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostImage {
    /// The file.
    pub jpeg: Vec<u8>,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A fresh file, in which nothing is but pixels.
pub(crate) fn encode(pixels: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    let [width, height] =
        [pixels.width(), pixels.height()].map(|side| u16::try_from(side).expect("2048 at most"));
    encoder
        .encode(pixels.as_raw(), width, height, ColorType::Rgb)
        .expect("sides of 1 to 2048 with all their pixels, into memory");
    file
}

/// Bytes of memory that making everything of decoded pixels takes at most, these included.
pub(crate) fn encode_memory_bytes(
    purpose: Purpose,
    decoded: (u32, u32),
    stored: (u32, u32),
) -> u64 {
    /// For each pixel of what is made: itself, turned, as coefficients, and as a file.
    const PIXEL: u64 = 20;

    let (width, height) = match purpose {
        Purpose::Profile => (LARGE, LARGE),
        Purpose::Post => post_dimensions(stored),
    };
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    // What is narrower already, but not yet lower.
    let between = area(width, decoded.1) * 3;
    area(decoded.0, decoded.1) * 3 + between + area(width, height) * PIXEL
}

/// The sides of a picture in a post.
pub(crate) fn post_dimensions((width, height): (u32, u32)) -> (u32, u32) {
    let longest = width.max(height);
    let side = |side: u32| scaled(side, POST_SIDE.min(longest), longest).max(1);
    (side(width), side(height))
}

/// `length · to / from`, rounded.
pub(crate) fn scaled(length: u32, to: u32, from: u32) -> u32 {
    let exact = u64::from(length) * u64::from(to) + u64::from(from) / 2;
    u32::try_from(exact / u64::from(from)).unwrap_or(u32::MAX)
}
