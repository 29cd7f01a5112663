//! Colour profiles, and the conversion of pixels to sRGB.

use std::sync::Arc;

use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    ParsingOptions, ProfileClass, TransferCharacteristics, TransformExecutor, TransformOptions,
};

/// Maximum size of a profile in bytes; a larger one is ignored. Profiles of cameras and screens have at most some 100 kB.
pub(crate) const MAX_PROFILE_BYTES: usize = 1 << 20;

/// Maximum number of tags in a profile. Those in use have up to 30; many tags of the same bytes would take seconds to read.
const MAX_TAGS: u32 = 100;

/// A readable profile of grey or RGB images other than sRGB.
pub(crate) struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile. `None` if it cannot be read, is for other images (CMYK), or does the same as sRGB.
    pub(crate) fn from_icc(bytes: &[u8]) -> Option<Self> {
        let (_header, tags) = bytes.split_at_checked(128)?;
        if u32::from_be_bytes(*tags.first_chunk()?) > MAX_TAGS {
            return None;
        }
        let limits = ParsingOptions {
            max_profile_size: MAX_PROFILE_BYTES + 1,
            max_allowed_clut_size: MAX_PROFILE_BYTES,
            ..ParsingOptions::default()
        };
        let profile = ColorProfile::new_from_slice_with_options(bytes, limits).ok()?;
        let describes_images = matches!(
            profile.profile_class,
            ProfileClass::InputDevice
                | ProfileClass::DisplayDevice
                | ProfileClass::OutputDevice
                | ProfileClass::ColorSpace
        );
        if describes_images { Self::unless_srgb(profile) } else { None }
    }

    /// The profile that the coding-independent code points of a PNG's `cICP` chunk name. `None` if it is not RGB of the full
    /// range, does the same as sRGB, or is HDR, which would have to be tone-mapped.
    pub(crate) fn from_code_points(
        [primaries, transfer, matrix, full_range]: [u8; 4],
    ) -> Option<Self> {
        let transfer_characteristics = TransferCharacteristics::try_from(transfer).ok()?;
        let is_hdr = matches!(
            transfer_characteristics,
            TransferCharacteristics::Smpte2084 | TransferCharacteristics::Hlg
        );
        if is_hdr || matrix != 0 || full_range != 1 {
            return None;
        }
        let code_points = CicpProfile {
            color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        let profile = ColorProfile::new_from_cicp(code_points);
        if profile.is_matrix_shaper() { Self::unless_srgb(profile) } else { None }
    }

    /// Keeps the profile if it changes a colour by more than the rounding does.
    fn unless_srgb(profile: ColorProfile) -> Option<Self> {
        let profile = Self(profile);
        let samples = if profile.is_grey() { 1 } else { 3 };
        let colours: Vec<u8> =
            if profile.is_grey() { (0..=255).collect() } else { sample_colours() };
        let mut converter = Converter::new(&profile, samples)?;
        let after = converter.convert(&colours);
        let repeat = 3 / samples;
        let before = colours.iter().flat_map(|&sample| std::iter::repeat_n(sample, repeat));
        let is_srgb = before.zip(after).all(|(before, after)| before.abs_diff(*after) <= 1);
        if is_srgb { None } else { Some(profile) }
    }

    fn is_grey(&self) -> bool {
        self.0.color_space == DataColorSpace::Gray
    }

    /// How the converter reads and writes pixels of 1 sample (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha). `None`
    /// if the profile is for other pixels.
    fn layouts(&self, samples: usize) -> Option<(Layout, Layout)> {
        let output = if samples.is_multiple_of(2) { Layout::Rgba } else { Layout::Rgb };
        match (self.0.color_space, samples) {
            (DataColorSpace::Gray, 1) => Some((Layout::Gray, output)),
            (DataColorSpace::Gray, 2) => Some((Layout::GrayAlpha, output)),
            // Grey pixels with a profile of RGB are expanded first.
            (DataColorSpace::Rgb, _) => Some((output, output)),
            _ => None,
        }
    }
}

/// Grey tones, and nine steps of each component with those of the others.
fn sample_colours() -> Vec<u8> {
    let steps = || (0..=255).step_by(32).chain([255]);
    let greys = (0..=255).flat_map(|grey| [grey; 3]);
    let cube = steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| [r, g, b])));
    greys.chain(cube.flatten()).collect()
}

/// A sample of 8 or 16 bits.
pub(crate) trait Sample: Copy + Default + Send + Sync + 'static {
    fn transform(profile: &Profile, layouts: (Layout, Layout)) -> Option<Transform<Self>>;
}

type Transform<T> = Arc<dyn TransformExecutor<T> + Send + Sync>;

impl Sample for u8 {
    fn transform(profile: &Profile, (from, to): (Layout, Layout)) -> Option<Transform<Self>> {
        let srgb = ColorProfile::new_srgb();
        profile.0.create_transform_8bit(from, &srgb, to, TransformOptions::default()).ok()
    }
}

impl Sample for u16 {
    fn transform(profile: &Profile, (from, to): (Layout, Layout)) -> Option<Transform<Self>> {
        let srgb = ColorProfile::new_srgb();
        profile.0.create_transform_16bit(from, &srgb, to, TransformOptions::default()).ok()
    }
}

/// Converts pixels to sRGB. Alpha stays as it is.
pub(crate) struct Converter<T> {
    transform: Transform<T>,
    /// Samples per pixel of the input.
    samples: usize,
    /// Whether grey samples are repeated for red, green and blue before the conversion.
    expands_grey: bool,
    expanded: Vec<T>,
    converted: Vec<T>,
}

impl<T: Sample> Converter<T> {
    /// A converter of pixels with this number of samples. `None` if the profile is for other pixels.
    pub(crate) fn new(profile: &Profile, samples: usize) -> Option<Self> {
        let layouts = profile.layouts(samples)?;
        Some(Self {
            transform: T::transform(profile, layouts)?,
            samples,
            expands_grey: samples < 3 && !profile.is_grey(),
            expanded: Vec::new(),
            converted: Vec::new(),
        })
    }

    /// Samples per converted pixel: 3 or, with alpha, 4.
    pub(crate) fn converted_samples(&self) -> usize {
        if self.samples.is_multiple_of(2) { 4 } else { 3 }
    }

    /// Converts pixels, such as a row, to RGB or, with alpha, to RGBA.
    pub(crate) fn convert(&mut self, pixels: &[T]) -> &[T] {
        let count = pixels.len() / self.samples;
        self.converted.resize(count * self.converted_samples(), T::default());
        let source = if self.expands_grey {
            self.expanded.clear();
            for pixel in pixels.chunks_exact(self.samples) {
                self.expanded.extend([pixel[0]; 3]);
                self.expanded.extend(&pixel[1..]);
            }
            &self.expanded
        } else {
            pixels
        };
        self.transform
            .transform(source, &mut self.converted)
            .expect("both buffers have whole pixels, and the same number");
        &self.converted
    }
}

impl Converter<u8> {
    /// Converts RGB or RGBA pixels in place, row by row.
    pub(crate) fn convert_rows(&mut self, pixels: &mut [u8], width: usize) {
        for row in pixels.chunks_exact_mut(width * self.samples) {
            row.copy_from_slice(self.convert(row));
        }
    }
}

/// Upper bound for the memory in bytes that reading a profile of at most this size and converting with it take.
pub(crate) fn memory_bytes(profile_bytes: usize) -> u64 {
    /// Tables of a conversion, and rows of 12,000 pixels.
    const TABLE_BYTES: u64 = 4 << 20;
    /// Seven lookup tables may be the same bytes of the profile, and one is expanded.
    const BYTES_PER_PROFILE_BYTE: u64 = 16;

    match profile_bytes.min(MAX_PROFILE_BYTES) as u64 {
        0 => 0,
        profile_bytes => TABLE_BYTES + profile_bytes * BYTES_PER_PROFILE_BYTE,
    }
}
