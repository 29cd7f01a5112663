//! Decodes JPEG at the smallest sufficient scale.

mod segments;

use jpeg_decoder::{CodingProcess, Decoder, Error, PixelFormat, UnsupportedFeature};

use self::segments::Segments;
use crate::alpha::{compact_to_rgb, scale_by};
use crate::icc::{self, Converter, Profile};
use crate::orientation::{self, Orientation};
use crate::rgb_image::RgbImage;
use crate::{ImageError, dimensions};

/// The relevant fields of a JPEG's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JpegHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    components: u64,
    progressive: bool,
    profile_bytes: usize,
}

/// The number of pixels decoded per eight pixels of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale(u32);

impl Scale {
    const FULL: Self = Self(8);

    /// The smallest scale at which `side` pixels become at least `required`, or the full size if none does.
    pub(crate) fn for_side(side: u32, required: u32) -> Self {
        let is_enough = |scale: &u32| side * scale >= required * 8;
        [1, 2, 4].into_iter().find(is_enough).map_or(Self::FULL, Self)
    }

    fn apply(self, side: u32) -> u32 {
        (side * self.0).div_ceil(8)
    }
}

impl JpegHeader {
    /// Reads the file up to the first scan.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let segments = Segments::before_scans(bytes);
        let mut decoder = Decoder::new(&segments.image[..]);
        decoder.read_info().map_err(|error| to_image_error(&error))?;
        let info = decoder.info().ok_or(ImageError::Corrupt)?;
        let (width, height) = (u32::from(info.width), u32::from(info.height));
        dimensions::check(width, height)?;
        if info.coding_process == CodingProcess::Lossless {
            return Err(ImageError::Unsupported { feature: "lossless JPEG" });
        }
        Ok(Self {
            width,
            height,
            orientation: orientation::first_in(&segments.exif),
            components: info.pixel_format.pixel_bytes() as u64,
            progressive: info.coding_process == CodingProcess::DctProgressive,
            profile_bytes: segments.profile_bytes(),
        })
    }

    /// The dimensions of the result of [`decode`].
    pub(crate) fn scaled_dimensions(&self, scale: Scale) -> (u32, u32) {
        (scale.apply(self.width), scale.apply(self.height))
    }

    /// Upper bound for the memory in bytes that [`decode`] takes, including its result.
    pub(crate) fn memory_bytes(&self, scale: Scale) -> u64 {
        // The decoder stores whole units of up to 4 by 4 blocks of 8 by 8 pixels.
        let [padded_width, padded_height] =
            [self.width, self.height].map(|side| u64::from(side.next_multiple_of(32)));
        let area_scale = u64::from(scale.0 * scale.0);
        let planes = padded_width * padded_height * area_scale / 64 * self.components;
        // Two bytes per pixel and component, and a copy of one component if its scans are incomplete.
        let coefficients = if self.progressive {
            padded_width * padded_height * 2 * (self.components + 1)
        } else {
            0
        };
        let rows = padded_width * 32 * 2 * 2 * self.components;
        let (width, height) = self.scaled_dimensions(scale);
        let image = u64::from(width) * u64::from(height) * self.components.max(3);
        planes + coefficients + rows + image + icc::memory_bytes(self.profile_bytes)
    }
}

/// Decodes the image at a scale, without rotating it.
pub(crate) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    scale: Scale,
) -> Result<RgbImage, ImageError> {
    let segments = Segments::all(bytes);
    let area = u64::from(header.width) * u64::from(header.height);
    let mut decoder = Decoder::new(limit_scans(&segments.image, area));
    if scale != Scale::FULL {
        // The decoder takes the smallest scale at which either side is large enough, so this requests only the longer side.
        let requested = |side: u32, other: u32| {
            if side < other {
                u16::MAX
            } else {
                u16::try_from(scale.apply(side)).unwrap_or(u16::MAX)
            }
        };
        let (width, height) = (header.width, header.height);
        decoder
            .scale(requested(width, height), requested(height, width))
            .map_err(|error| to_image_error(&error))?;
    }
    let mut pixels = decoder.decode().map_err(|error| to_image_error(&error))?;
    let info = decoder.info().ok_or(ImageError::Corrupt)?;
    let converter = segments.profile().and_then(|profile| {
        Converter::new(&Profile::from_icc(&profile)?, info.pixel_format.pixel_bytes())
    });
    match info.pixel_format {
        PixelFormat::RGB24 => {
            if let Some(mut converter) = converter {
                converter.convert_rows(&mut pixels, info.width.into());
            }
        }
        PixelFormat::L8 => {
            let tones = grey_tones(converter);
            pixels = pixels.into_iter().flat_map(|grey| tones[usize::from(grey)]).collect();
        }
        // Profiles of inks are not applied.
        PixelFormat::CMYK32 => compact_to_rgb(&mut pixels, |[cyan, magenta, yellow, black]| {
            [cyan, magenta, yellow].map(|ink| scale_by(255 - ink, 255 - black))
        }),
        PixelFormat::L16 => return Err(ImageError::Corrupt),
    }
    RgbImage::from_samples(info.width.into(), info.height.into(), pixels).ok_or(ImageError::Corrupt)
}

/// The colour of each grey sample.
fn grey_tones(converter: Option<Converter<u8>>) -> [[u8; 3]; 256] {
    let mut tones = [[0; 3]; 256];
    let samples: Vec<u8> = (0..=255).collect();
    match converter {
        Some(mut converter) => {
            tones.copy_from_slice(converter.convert(&samples).as_chunks().0);
        }
        None => tones.iter_mut().zip(samples).for_each(|(tone, grey)| *tone = [grey; 3]),
    }
    tones
}

/// Truncates a file with too many scans. Encoders write about ten, and each scan costs a pass over all pixels, even if it
/// has few bytes.
fn limit_scans(bytes: &[u8], pixels: u64) -> &[u8] {
    /// Limit on the pixels of all scans together; decoding them takes seconds.
    const MAX_SCANNED_PIXELS: u64 = 1_000_000_000;

    let max_scans = (MAX_SCANNED_PIXELS / pixels).clamp(20, 100);
    // Only the start of a scan matches: in entropy-coded data, 0xFF is followed by other bytes.
    let end = memchr::memmem::find_iter(bytes, b"\xFF\xDA").zip(0..=max_scans).last();
    match end {
        Some((end, number)) if number == max_scans => &bytes[..end],
        _ => bytes,
    }
}

fn to_image_error(error: &Error) -> ImageError {
    let Error::Unsupported(feature) = error else { return ImageError::Corrupt };
    let feature = match feature {
        UnsupportedFeature::Hierarchical => "hierarchical JPEG",
        UnsupportedFeature::ArithmeticEntropyCoding => "arithmetic coding",
        UnsupportedFeature::SamplePrecision(_) => "JPEG of more than 8 bits",
        UnsupportedFeature::ComponentCount(_) => "an unusual number of components",
        UnsupportedFeature::DNL => "a height that is defined after the pixels",
        UnsupportedFeature::SubsamplingRatio | UnsupportedFeature::NonIntegerSubsamplingRatio => {
            "an unusual subsampling"
        }
        UnsupportedFeature::ColorTransform(_) => "an unusual colour space",
    };
    ImageError::Unsupported { feature }
}
