//! WebP, lossy or lossless.

mod frame;
mod prefix_codes;

use std::io::Cursor;

use image::RgbImage;
use image::metadata::Orientation;
use image_webp::{DecodingError, WebPDecoder};

use self::frame::{Frame, lossy_sides};
use crate::alpha::{blend_with_white, compact_to_rgb};
use crate::{ImageError, limits};

/// How many sets of codes a lossless frame may have. libwebp makes at most 2,600, and then joins those that are alike.
const MAX_CODES: u32 = 2_000;

/// Bytes of memory that the decoder keeps for a set of codes at most.
const CODES: u64 = 125_000;

/// What the beginning of a WebP says about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebPHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    memory_bytes: u64,
}

impl WebPHeader {
    /// Reads where the parts of a file are, and what the frame that counts is like.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut decoder = decoder(bytes)?;
        let (width, height) = decoder.dimensions();
        let exif = decoder.exif_metadata().unwrap_or_default();
        let orientation = exif.and_then(|exif| orientation(&exif));
        let animated = decoder.is_animated();
        let (frame, sides) = Frame::find(bytes, animated, (width, height))?;
        let decoding = frame_bytes(&frame, sides, decoder.has_alpha())?;
        let canvas = if animated { u64::from(width) * u64::from(height) * 8 } else { 0 };
        Ok(Self {
            width,
            height,
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            memory_bytes: decoding + canvas,
        })
    }

    /// Bytes of memory that [`decode`] takes at most, what it returns included.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// Bytes of memory that the decoder takes at most for a frame, which it believes where sides are told twice.
fn frame_bytes(
    frame: &Frame<'_>,
    sides @ (width, height): (u32, u32),
    has_alpha: bool,
) -> Result<u64, ImageError> {
    /// The decoder makes room for as much as the file says will come, which is told in 24 bits.
    const PART: u64 = 16 << 20;

    limits::check(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    match frame {
        Frame::Lossless(data) => {
            // A byte to know it by, sides, and whether there is alpha.
            let codes = codes(data.get(5..).ok_or(ImageError::Corrupt)?, sides)?;
            // Transforms tell something for each four by four pixels, and codes too.
            Ok(codes + pixels + pixels * if has_alpha { 4 } else { 7 })
        }
        Frame::Lossy { frame, alpha } => {
            if lossy_sides(frame) != Some(sides) {
                return Err(ImageError::Corrupt);
            }
            let blocks = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16));
            let lossy = PART + frame.len() as u64 * 4 + blocks * 384 + pixels * 4;
            match alpha {
                Some([how, data @ ..]) => {
                    let codes = if how & 3 == 1 { codes(data, sides)? } else { 0 };
                    Ok(lossy + codes + pixels * 6)
                }
                _ => Ok(lossy),
            }
        }
    }
}

/// Bytes of memory for the codes of lossless data.
fn codes(data: &[u8], sides: (u32, u32)) -> Result<u64, ImageError> {
    let count = prefix_codes::count(data, sides)?;
    if count > MAX_CODES {
        return Err(ImageError::Unsupported { feature: "an unusual number of codes" });
    }
    // Those of the four small pictures come one after another.
    Ok(u64::from(count + 1) * CODES)
}

/// Decodes the picture, or the first of several. It is not turned yet.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let mut decoder = decoder(bytes)?;
    if decoder.is_animated() {
        decoder.set_background_color([255; 4]).map_err(|error| to_image_error(&error))?;
    }
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(ImageError::Corrupt)?];
    decoder.read_image(&mut pixels).map_err(|error| to_image_error(&error))?;
    if decoder.has_alpha() {
        compact_to_rgb(&mut pixels, |[red, green, blue, alpha]| {
            [red, green, blue].map(|value| blend_with_white(value, alpha))
        });
    }
    RgbImage::from_raw(width, height, pixels).ok_or(ImageError::Corrupt)
}

fn decoder(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, ImageError> {
    let mut decoder =
        WebPDecoder::new(Cursor::new(bytes)).map_err(|error| to_image_error(&error))?;
    decoder.set_memory_limit(bytes.len());
    let (width, height) = decoder.dimensions();
    limits::check(width, height)?;
    Ok(decoder)
}

fn orientation(exif: &[u8]) -> Option<Orientation> {
    // Some programs write what JPEG needs before it.
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}

fn to_image_error(error: &DecodingError) -> ImageError {
    match error {
        DecodingError::UnsupportedFeature(_) => {
            ImageError::Unsupported { feature: "a frame that builds on another" }
        }
        _ => ImageError::Corrupt,
    }
}
