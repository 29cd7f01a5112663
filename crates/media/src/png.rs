//! Decodes PNG row by row.

use std::io::Cursor;

use image::RgbImage;
use image::metadata::Orientation;
use png::{Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations};

use crate::alpha::flatten_onto_white;
use crate::{ImageError, dimensions};

/// Memory limit of the decoder in bytes, apart from the image: rows, and the metadata before the pixels.
const MAX_DECODER_BYTES: usize = 2 << 20;

/// The relevant fields of a PNG's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PngHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
}

impl PngHeader {
    /// Reads the file up to the pixels.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let reader = reader(bytes)?;
        let info = reader.info();
        let exif = info.exif_metadata.as_deref();
        Ok(Self {
            width: info.width,
            height: info.height,
            orientation: exif
                .and_then(Orientation::from_exif_chunk)
                .unwrap_or(Orientation::NoTransforms),
        })
    }

    /// Upper bound for the memory in bytes that [`decode`] takes, including its result.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * 3 + MAX_DECODER_BYTES as u64
    }
}

/// Decodes the default image of a file, without rotating it.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let mut reader = reader(bytes)?;
    let info = reader.info();
    let (width, height) = info.size();
    // The first frame of an animation must cover the whole image.
    if info.frame_control.is_some_and(|frame| (frame.width, frame.height) != (width, height)) {
        return Err(ImageError::Corrupt);
    }
    let samples = reader.output_color_type().0.samples();
    let mut rgb = RgbImage::new(width, height);
    let stride = width as usize * 3;
    let mut rgb_row = vec![0; stride];
    let mut next_row = 0;
    while let Some(row) = reader.next_interlaced_row().map_err(|error| to_image_error(&error))? {
        let row_width = row.data().len() / samples;
        flatten_onto_white(row.data(), samples, &mut rgb_row[..row_width * 3]);
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                let target =
                    rgb.chunks_exact_mut(stride).nth(next_row).ok_or(ImageError::Corrupt)?;
                target.copy_from_slice(&rgb_row);
                next_row += 1;
            }
            InterlaceInfo::Adam7(pass) => {
                png::expand_interlaced_row(&mut rgb, stride, &rgb_row[..row_width * 3], pass, 24);
            }
        }
    }
    Ok(rgb)
}

/// A reader that has read the file up to the pixels, and skips text and colour profiles.
fn reader(bytes: &[u8]) -> Result<Reader<Cursor<&[u8]>>, ImageError> {
    let limits = Limits { bytes: MAX_DECODER_BYTES };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let header = decoder.read_header_info().map_err(|error| to_image_error(&error))?;
    dimensions::check(header.width, header.height)?;
    decoder.read_info().map_err(|error| to_image_error(&error))
}

fn to_image_error(error: &DecodingError) -> ImageError {
    match error {
        DecodingError::LimitsExceeded => ImageError::Unsupported { feature: "very large metadata" },
        _ => ImageError::Corrupt,
    }
}
