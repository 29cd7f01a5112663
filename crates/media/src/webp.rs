//! Decodes WebP, lossy or lossless.

mod container;
mod frame;
mod prefix_codes;

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use self::container::Container;
use self::frame::{Frame, lossy_dimensions};
use crate::alpha::{blend_with_white, compact_to_rgb};
use crate::icc::{self, Converter, Profile};
use crate::orientation::{self, Orientation};
use crate::rgb_image::RgbImage;
use crate::{ImageError, dimensions};

/// Maximum number of prefix code groups in a lossless frame. libwebp creates at most 2,600, and then merges similar
/// ones.
const MAX_CODE_GROUPS: u32 = 2_000;

/// Upper bound for the memory in bytes that the decoder keeps per prefix code group.
const CODE_GROUP_BYTES: u64 = 125_000;

/// The relevant fields of a WebP's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebPHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    memory_bytes: u64,
}

impl WebPHeader {
    /// Reads where the chunks of a file are, and the properties of the frame that is decoded.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let container = Container::read(bytes);
        let decoder = decoder(&container.file)?;
        let (width, height) = decoder.dimensions();
        let is_animated = decoder.is_animated();
        let (frame, dimensions) = Frame::find(&container.file, is_animated, (width, height))?;
        let frame_memory = frame_memory_bytes(&frame, dimensions, decoder.has_alpha())?;
        let profile_bytes = container.profile.unwrap_or_default().len();
        let canvas = if is_animated { u64::from(width) * u64::from(height) * 8 } else { 0 };
        Ok(Self {
            width,
            height,
            orientation: orientation::first_in(&container.exif),
            memory_bytes: frame_memory + canvas + icc::memory_bytes(profile_bytes),
        })
    }

    /// Upper bound for the memory in bytes that [`decode`] takes, including its result.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// Upper bound for the memory in bytes that decoding a frame takes. The decoder allocates by the dimensions in the
/// frame, so they must match those in the container.
fn frame_memory_bytes(
    frame: &Frame<'_>,
    dimensions @ (width, height): (u32, u32),
    has_alpha: bool,
) -> Result<u64, ImageError> {
    /// The decoder allocates the partition size that the file announces, which has 24 bits.
    const PARTITION_BYTES: u64 = 16 << 20;

    dimensions::check(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    match frame {
        Frame::Lossless(data) => {
            // Skips the signature byte, the dimensions, the alpha bit and the version.
            let codes = prefix_code_bytes(data.get(5..).ok_or(ImageError::Corrupt)?, dimensions)?;
            // Transforms and prefix code groups store data per block of four by four pixels.
            Ok(codes + pixels + pixels * if has_alpha { 4 } else { 7 })
        }
        Frame::Lossy { frame, alpha } => {
            if lossy_dimensions(frame) != Some(dimensions) {
                return Err(ImageError::Corrupt);
            }
            let blocks = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16));
            let lossy = PARTITION_BYTES + frame.len() as u64 * 4 + blocks * 384 + pixels * 4;
            match alpha {
                Some([flags, data @ ..]) => {
                    let is_compressed = flags & 3 == 1;
                    let codes =
                        if is_compressed { prefix_code_bytes(data, dimensions)? } else { 0 };
                    Ok(lossy + codes + pixels * 6)
                }
                _ => Ok(lossy),
            }
        }
    }
}

/// Upper bound for the memory in bytes of the prefix codes of lossless data.
fn prefix_code_bytes(data: &[u8], dimensions: (u32, u32)) -> Result<u64, ImageError> {
    let count = prefix_codes::count_groups(data, dimensions)?;
    if count > MAX_CODE_GROUPS {
        return Err(ImageError::Unsupported { feature: "an unusual number of prefix codes" });
    }
    // One more for the up to four transform and entropy images: each has one group, and they are decoded one at a time.
    Ok(u64::from(count + 1) * CODE_GROUP_BYTES)
}

/// Decodes the image or, of an animation, the first frame, without rotating it.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let container = Container::read(bytes);
    let mut decoder = decoder(&container.file)?;
    if decoder.is_animated() {
        decoder.set_background_color([255; 4]).map_err(|error| to_image_error(&error))?;
    }
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(ImageError::Corrupt)?];
    decoder.read_image(&mut pixels).map_err(|error| to_image_error(&error))?;
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    let profile = container.profile.and_then(Profile::from_icc);
    if let Some(mut converter) = profile.and_then(|profile| Converter::new(&profile, samples)) {
        converter.convert_rows(&mut pixels, width as usize);
    }
    if decoder.has_alpha() {
        compact_to_rgb(&mut pixels, |[red, green, blue, alpha]| {
            [red, green, blue].map(|value| blend_with_white(value, alpha))
        });
    }
    RgbImage::from_samples(width, height, pixels).ok_or(ImageError::Corrupt)
}

fn decoder(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, ImageError> {
    let mut decoder =
        WebPDecoder::new(Cursor::new(bytes)).map_err(|error| to_image_error(&error))?;
    decoder.set_memory_limit(bytes.len());
    let (width, height) = decoder.dimensions();
    dimensions::check(width, height)?;
    Ok(decoder)
}

fn to_image_error(error: &DecodingError) -> ImageError {
    match error {
        DecodingError::UnsupportedFeature(_) => {
            ImageError::Unsupported { feature: "a frame that depends on another frame" }
        }
        _ => ImageError::Corrupt,
    }
}
