//! WebP, lossy or lossless.

use std::io::Cursor;

use image::RgbImage;
use image::metadata::Orientation;
use image_webp::{DecodingError, WebPDecoder};

use crate::white::{over_white, three_of_four};
use crate::{Refusal, limits};

/// What the beginning of a WebP says about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebPHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    animated: bool,
    length: u64,
}

impl WebPHeader {
    /// Reads where the parts of a file are, and the size of its picture.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut decoder = decoder(bytes)?;
        let (width, height) = decoder.dimensions();
        let exif = decoder.exif_metadata().unwrap_or_default();
        Ok(Self {
            width,
            height,
            orientation: exif
                .and_then(|exif| orientation(&exif))
                .unwrap_or(Orientation::NoTransforms),
            animated: decoder.is_animated(),
            length: bytes.len() as u64,
        })
    }

    /// Bytes of memory that [`decode`] takes at most, what it returns included.
    pub(crate) fn decode_bytes(&self) -> u64 {
        /// What is read at once, which is as long as the file says, and tables.
        const REST: u64 = 20 << 20;

        let pixels = u64::from(self.width.next_multiple_of(16))
            * u64::from(self.height.next_multiple_of(16));
        // The picture with alpha, planes of light and colour, alpha, and what alpha is coded as; of an animation the
        // canvas and the frame as well.
        pixels * if self.animated { 19 } else { 11 } + self.length + REST
    }
}

/// Decodes the picture, or the first of several. It is not turned yet.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, Refusal> {
    let mut decoder = decoder(bytes)?;
    if decoder.is_animated() {
        decoder.set_background_color([255; 4]).map_err(|error| refusal(&error))?;
    }
    let (width, height) = decoder.dimensions();
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or(Refusal::Broken)?];
    decoder.read_image(&mut pixels).map_err(|error| refusal(&error))?;
    if decoder.has_alpha() {
        three_of_four(&mut pixels, |[red, green, blue, alpha]| {
            [red, green, blue].map(|value| over_white(value, alpha))
        });
    }
    RgbImage::from_raw(width, height, pixels).ok_or(Refusal::Broken)
}

fn decoder(bytes: &[u8]) -> Result<WebPDecoder<Cursor<&[u8]>>, Refusal> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
    decoder.set_memory_limit(bytes.len());
    let (width, height) = decoder.dimensions();
    limits::check(width, height)?;
    Ok(decoder)
}

fn orientation(exif: &[u8]) -> Option<Orientation> {
    // Some programs write what JPEG needs before it.
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}

fn refusal(error: &DecodingError) -> Refusal {
    match error {
        DecodingError::UnsupportedFeature(_) => {
            Refusal::Unsupported { feature: "a frame that builds on another" }
        }
        _ => Refusal::Broken,
    }
}
