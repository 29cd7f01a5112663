//! Converts the rows of a PNG to sRGB.

use png::BitDepth;

use crate::icc::{Converter, Profile};

/// Converts rows to 8-bit sRGB, from as many bits as the file has.
pub(super) enum RowConverter {
    /// From rows of 8-bit samples.
    Eight(Converter<u8>),
    /// From rows of 16-bit samples: rounding to 8 bits first would show in dark colours of a profile with another gamma.
    Sixteen { converter: Converter<u16>, samples: Vec<u16>, rounded: Vec<u8> },
}

impl RowConverter {
    /// A converter of pixels with this number of samples. `None` if the profile is for other pixels.
    pub(super) fn new(profile: &Profile, samples: usize, depth: BitDepth) -> Option<Self> {
        if depth == BitDepth::Sixteen {
            let converter = Converter::new(profile, samples)?;
            Some(Self::Sixteen { converter, samples: Vec::new(), rounded: Vec::new() })
        } else {
            Converter::new(profile, samples).map(Self::Eight)
        }
    }

    /// Whether rows must not be reduced to 8 bits before.
    pub(super) fn reads_16_bits(&self) -> bool {
        matches!(self, Self::Sixteen { .. })
    }

    /// Samples per converted pixel: 3 or, with alpha, 4.
    pub(super) fn converted_samples(&self) -> usize {
        match self {
            Self::Eight(converter) => converter.converted_samples(),
            Self::Sixteen { converter, .. } => converter.converted_samples(),
        }
    }

    /// Converts a row.
    pub(super) fn convert(&mut self, row: &[u8]) -> &[u8] {
        match self {
            Self::Eight(converter) => converter.convert(row),
            Self::Sixteen { converter, samples, rounded } => {
                samples.clear();
                samples.extend(row.as_chunks().0.iter().map(|bytes| u16::from_be_bytes(*bytes)));
                rounded.clear();
                rounded.extend(converter.convert(samples).iter().map(|&sample| round(sample)));
                rounded
            }
        }
    }
}

/// The closest 8-bit sample.
fn round(sample: u16) -> u8 {
    u8::try_from((u32::from(sample) + 128) / 257).unwrap_or(u8::MAX)
}
