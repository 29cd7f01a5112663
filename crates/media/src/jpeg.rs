//! JPEG, decoded at the scale that is needed and no larger.

use image::RgbImage;
use image::metadata::Orientation;
use jpeg_decoder::{CodingProcess, Decoder, Error, PixelFormat, UnsupportedFeature};

use crate::alpha::{compact_to_rgb, scale_by};
use crate::{ImageError, limits};

/// What the beginning of a JPEG says about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JpegHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: Orientation,
    components: u64,
    progressive: bool,
}

/// How many of each eight pixels of a side are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale(u32);

impl Scale {
    const FULL: Self = Self(8);

    /// The smallest at which `side` pixels become at least `wanted`; the full size where none does.
    pub(crate) fn for_side(side: u32, wanted: u32) -> Self {
        let enough = |scale: &u32| side * scale >= wanted * 8;
        [1, 2, 4].into_iter().find(enough).map_or(Self::FULL, Self)
    }

    fn of(self, side: u32) -> u32 {
        (side * self.0).div_ceil(8)
    }
}

impl JpegHeader {
    /// Reads everything up to the frame header.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let mut decoder = Decoder::new(bytes);
        decoder.read_info().map_err(|error| to_image_error(&error))?;
        let info = decoder.info().ok_or(ImageError::Corrupt)?;
        let (width, height) = (u32::from(info.width), u32::from(info.height));
        limits::check(width, height)?;
        if info.coding_process == CodingProcess::Lossless {
            return Err(ImageError::Unsupported { feature: "lossless JPEG" });
        }
        Ok(Self {
            width,
            height,
            orientation: decoder
                .exif_data()
                .and_then(Orientation::from_exif_chunk)
                .unwrap_or(Orientation::NoTransforms),
            components: info.pixel_format.pixel_bytes() as u64,
            progressive: info.coding_process == CodingProcess::DctProgressive,
        })
    }

    /// The sides of what [`decode`] gives.
    pub(crate) fn sides(&self, scale: Scale) -> (u32, u32) {
        (scale.of(self.width), scale.of(self.height))
    }

    /// Bytes of memory that [`decode`] takes at most, what it returns included.
    pub(crate) fn memory_bytes(&self, scale: Scale) -> u64 {
        // What the decoder keeps is in whole units of up to 4 by 4 blocks of 8 by 8 pixels.
        let [across, down] =
            [self.width, self.height].map(|side| u64::from(side.next_multiple_of(32)));
        let scale_of_area = u64::from(scale.0 * scale.0);
        let planes = across * down * scale_of_area / 64 * self.components;
        // Two bytes for each pixel of each component, and of one component a copy where its scans are incomplete.
        let coefficients =
            if self.progressive { across * down * 2 * (self.components + 1) } else { 0 };
        let rows = across * 32 * 2 * 2 * self.components;
        let (width, height) = self.sides(scale);
        let image = u64::from(width) * u64::from(height) * self.components.max(3);
        planes + coefficients + rows + image
    }
}

/// Decodes all of a picture at a scale. It is not turned yet.
pub(crate) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    scale: Scale,
) -> Result<RgbImage, ImageError> {
    let mut decoder =
        Decoder::new(up_to_scans(bytes, u64::from(header.width) * u64::from(header.height)));
    if scale != Scale::FULL {
        // It takes the smallest scale at which either side is large enough, so only the longer is asked for.
        let wanted = |side: u32, other: u32| {
            if side < other { u16::MAX } else { u16::try_from(scale.of(side)).unwrap_or(u16::MAX) }
        };
        let (width, height) = (header.width, header.height);
        decoder
            .scale(wanted(width, height), wanted(height, width))
            .map_err(|error| to_image_error(&error))?;
    }
    let mut pixels = decoder.decode().map_err(|error| to_image_error(&error))?;
    let info = decoder.info().ok_or(ImageError::Corrupt)?;
    match info.pixel_format {
        PixelFormat::RGB24 => {}
        PixelFormat::L8 => pixels = pixels.into_iter().flat_map(|grey| [grey; 3]).collect(),
        PixelFormat::CMYK32 => compact_to_rgb(&mut pixels, |[cyan, magenta, yellow, black]| {
            [cyan, magenta, yellow].map(|ink| scale_by(255 - ink, 255 - black))
        }),
        PixelFormat::L16 => return Err(ImageError::Corrupt),
    }
    RgbImage::from_raw(info.width.into(), info.height.into(), pixels).ok_or(ImageError::Corrupt)
}

/// A file up to where it has more scans than anybody needs: encoders write ten or so, and each costs a walk over all
/// pixels, however few bytes it has.
fn up_to_scans(bytes: &[u8], pixels: u64) -> &[u8] {
    /// Pixels of all scans together, which take seconds.
    const ENOUGH: u64 = 1_000_000_000;

    let scans = (ENOUGH / pixels).clamp(20, 100);
    // Inside coded pixels, 0xFF is followed by something else.
    let end = memchr::memmem::find_iter(bytes, b"\xFF\xDA").zip(0..=scans).last();
    match end {
        Some((end, number)) if number == scans => &bytes[..end],
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
        UnsupportedFeature::DNL => "a height that is told at the end",
        UnsupportedFeature::SubsamplingRatio | UnsupportedFeature::NonIntegerSubsamplingRatio => {
            "an unusual subsampling"
        }
        UnsupportedFeature::ColorTransform(_) => "an unusual space of colours",
    };
    ImageError::Unsupported { feature }
}
