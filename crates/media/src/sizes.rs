//! The output sizes.

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, rgb_to_ycbcr};

use crate::rgb_image::RgbImage;

/// What an image is decoded for, which determines the required resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Four squares of a profile photo, see [`ProfileSizes`].
    Profile,
    /// The image of a post, see [`PostImage`].
    Post,
}

/// Side of the smallest profile square in pixels.
pub const THUMBNAIL_SIDE: u32 = 64;

/// Side of the second profile square in pixels.
pub const SMALL_SIDE: u32 = 128;

/// Side of the third profile square in pixels.
pub const MEDIUM_SIDE: u32 = 256;

/// Side of the largest profile square in pixels.
pub const LARGE_SIDE: u32 = 512;

/// Maximum longer side of a post's image in pixels.
pub const MAX_POST_SIDE: u32 = 2048;

/// JPEG quality of all output, out of 100.
const QUALITY: u8 = 85;

/// Four squares of an image, each a progressive JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSizes {
    /// 64 by 64 pixels.
    pub thumbnail: Vec<u8>,
    /// 128 by 128 pixels.
    pub small: Vec<u8>,
    /// 256 by 256 pixels.
    pub medium: Vec<u8>,
    /// 512 by 512 pixels.
    pub large: Vec<u8>,
}

/// The image of a post, a progressive JPEG without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostImage {
    /// The encoded file.
    pub jpeg: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Encodes pixels as a progressive JPEG without metadata.
pub(crate) fn encode(pixels: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode_image(Source(pixels)).expect("writing to memory does not fail");
    file
}

/// The only image that the encoder is compiled for. Its own `encode` takes nine kinds of pixels, and is compiled for each.
struct Source<'a>(&'a RgbImage);

impl ImageBuffer for Source<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        u16::try_from(self.0.width()).expect("at most 2048")
    }

    fn height(&self) -> u16 {
        u16::try_from(self.0.height()).expect("at most 2048")
    }

    fn fill_buffers(&self, y: u16, [luma, blue, red, _]: &mut [Vec<u8>; 4]) {
        let width = usize::from(self.width());
        let row = &self.0.pixels()[usize::from(y) * width..][..width];
        let converted = |&[red, green, blue]: &[u8; 3]| rgb_to_ycbcr(red, green, blue);
        luma.extend(row.iter().map(|pixel| converted(pixel).0));
        blue.extend(row.iter().map(|pixel| converted(pixel).1));
        red.extend(row.iter().map(|pixel| converted(pixel).2));
    }
}

/// Upper bound for the memory in bytes that encoding all sizes takes, including the decoded pixels.
pub(crate) fn encode_memory_bytes(
    purpose: Purpose,
    decoded: (u32, u32),
    stored: (u32, u32),
) -> u64 {
    /// Per output pixel: the pixel, its rotated copy, its coefficients, and its share of the file.
    const BYTES_PER_PIXEL: u64 = 20;

    let (width, height) = match purpose {
        Purpose::Profile => (LARGE_SIDE, LARGE_SIDE),
        Purpose::Post => post_dimensions(stored),
    };
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    // The intermediate image has the output's width and the decoded height.
    let intermediate = area(width, decoded.1) * 3;
    area(decoded.0, decoded.1) * 3 + intermediate + area(width, height) * BYTES_PER_PIXEL
}

/// The dimensions of a post's image.
pub(crate) fn post_dimensions((width, height): (u32, u32)) -> (u32, u32) {
    let longest = width.max(height);
    let side = |side: u32| scaled(side, MAX_POST_SIDE.min(longest), longest).max(1);
    (side(width), side(height))
}

/// `length · to / from`, rounded.
pub(crate) fn scaled(length: u32, to: u32, from: u32) -> u32 {
    let exact = u64::from(length) * u64::from(to) + u64::from(from) / 2;
    u32::try_from(exact / u64::from(from)).unwrap_or(u32::MAX)
}
