//! Decodes PNG row by row.

mod chunks;
mod rows;

use std::io::Cursor;

use png::{Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations};

use self::chunks::Chunks;
use self::rows::RowConverter;
use crate::alpha::flatten_onto_white;
use crate::orientation::{self, Orientation};
use crate::rgb_image::RgbImage;
use crate::{ImageError, dimensions, icc};

/// Memory limit of the decoder in bytes, apart from the image: rows.
const MAX_DECODER_BYTES: usize = 2 << 20;

/// The relevant fields of a PNG's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PngHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    profile_bytes: usize,
}

impl PngHeader {
    /// Reads the file up to the pixels.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let chunks = Chunks::before_pixels(bytes);
        let reader = reader(&chunks.image, Transformations::IDENTITY)?;
        let info = reader.info();
        Ok(Self {
            width: info.width,
            height: info.height,
            orientation: orientation::first_in(&chunks.exif),
            profile_bytes: chunks.profile_bytes(),
        })
    }

    /// Upper bound for the memory in bytes that [`decode`] takes, including its result.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let pixels = u64::from(self.width) * u64::from(self.height);
        pixels * 3 + MAX_DECODER_BYTES as u64 + icc::memory_bytes(self.profile_bytes)
    }
}

/// Decodes the default image of a file, without rotating it.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let chunks = Chunks::all(bytes);
    let eight_bits = Transformations::EXPAND | Transformations::STRIP_16;
    let mut reader = reader(&chunks.image, eight_bits)?;
    let (samples, depth) = (reader.output_color_type().0.samples(), reader.info().bit_depth);
    let mut converter =
        chunks.profile().and_then(|profile| RowConverter::new(&profile, samples, depth));
    if converter.as_ref().is_some_and(RowConverter::reads_16_bits) {
        reader = self::reader(&chunks.image, Transformations::EXPAND)?;
    }
    let (width, height) = reader.info().size();
    let mut rgb = RgbImage::new(width, height);
    let stride = width as usize * 3;
    let mut rgb_row = vec![0; stride];
    let mut next_row = 0;
    while let Some(row) = reader.next_interlaced_row().map_err(|error| to_image_error(&error))? {
        let (data, samples) = match &mut converter {
            Some(converter) => {
                let samples = converter.converted_samples();
                (converter.convert(row.data()), samples)
            }
            None => (row.data(), samples),
        };
        let rgb_row = &mut rgb_row[..data.len() / samples * 3];
        flatten_onto_white(data, samples, rgb_row);
        match row.interlace() {
            InterlaceInfo::Null(_) => {
                let target = rgb.rows_mut().nth(next_row).ok_or(ImageError::Corrupt)?;
                target.copy_from_slice(rgb_row);
                next_row += 1;
            }
            InterlaceInfo::Adam7(pass) => {
                png::expand_interlaced_row(rgb.samples_mut(), stride, rgb_row, pass, 24);
            }
        }
    }
    Ok(rgb)
}

/// A reader that has read the file up to the pixels.
fn reader(
    bytes: &[u8],
    transformations: Transformations,
) -> Result<Reader<Cursor<&[u8]>>, ImageError> {
    let limits = Limits { bytes: MAX_DECODER_BYTES };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(transformations);
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
