//! Separates a JPEG's metadata from its image data.

use crate::icc::MAX_PROFILE_BYTES;

/// Signature of a segment that has a part of a colour profile. Two bytes follow: the part's number from 1, and the number
/// of parts.
const ICC_SIGNATURE: &[u8] = b"ICC_PROFILE\0";

const EXIF_SIGNATURE: &[u8] = b"Exif\0\0";

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// A JPEG's image data and the metadata before it.
#[derive(Default)]
pub(super) struct Segments<'a> {
    /// The file without its metadata, and without what follows the end of the image.
    pub(super) image: Vec<u8>,
    /// The EXIF segments before the first scan, from the TIFF header.
    pub(super) exif: Vec<&'a [u8]>,
    /// The parts of the colour profile before the first scan, from their number.
    profile_parts: Vec<&'a [u8]>,
}

impl<'a> Segments<'a> {
    /// Reads the segments up to the first scan.
    pub(super) fn before_scans(bytes: &'a [u8]) -> Self {
        Self::read(bytes, true)
    }

    /// Reads the whole file.
    pub(super) fn all(bytes: &'a [u8]) -> Self {
        let mut segments = Self::read(bytes, false);
        segments.image.shrink_to_fit();
        segments
    }

    /// The colour profile, if all of its parts are there.
    pub(super) fn profile(&self) -> Option<Vec<u8>> {
        let [_, count, ..] = self.profile_parts.first()? else { return None };
        let part = |number: u8| {
            self.profile_parts.iter().find_map(|part| match part {
                [own, total, data @ ..] if own == &number && total == count => Some(data),
                _ => None,
            })
        };
        (1..=*count).map(part).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
    }

    /// Upper bound for the size of the colour profile.
    pub(super) fn profile_bytes(&self) -> usize {
        self.profile_parts.iter().map(|part| part.len()).sum::<usize>().min(MAX_PROFILE_BYTES)
    }

    fn read(bytes: &'a [u8], stops_at_scan: bool) -> Self {
        let mut segments = Self { image: bytes[..2].to_vec(), ..Self::default() };
        let mut rest = &bytes[2..];
        let mut is_before_scans = true;
        while let Some((marker, after_marker)) = next_marker(rest) {
            let length = segment_length(marker, after_marker);
            let (body, next) = after_marker.split_at_checked(length).unwrap_or((after_marker, &[]));
            if is_metadata(marker) && !is_needed(marker, body) {
                if is_before_scans {
                    segments.collect(marker, body);
                }
                rest = next;
                continue;
            }
            segments.image.extend_from_slice(&[0xFF, marker]);
            segments.image.extend_from_slice(body);
            rest = next;
            if marker == END_OF_IMAGE {
                break;
            }
            if marker == START_OF_SCAN {
                if stops_at_scan {
                    break;
                }
                is_before_scans = false;
                let (scan, after_scan) = rest.split_at(scan_length(rest));
                segments.image.extend_from_slice(scan);
                rest = after_scan;
            }
        }
        segments
    }

    /// Keeps the contents of a metadata segment, which start with the two bytes of its length.
    fn collect(&mut self, marker: u8, body: &'a [u8]) {
        let contents = body.get(2..).unwrap_or_default();
        if marker == 0xE1 {
            self.exif.extend(contents.strip_prefix(EXIF_SIGNATURE));
        } else if marker == 0xE2 {
            self.profile_parts.extend(contents.strip_prefix(ICC_SIGNATURE));
        }
    }
}

/// The next marker, and what follows it. Bytes between segments are skipped, as by all decoders.
fn next_marker(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = memchr::memchr(0xFF, bytes)?;
        bytes = &bytes[at + 1..];
        match bytes {
            [0x00, rest @ ..] => bytes = rest,
            // A fill byte.
            [0xFF, ..] => {}
            [marker, rest @ ..] => return Some((*marker, rest)),
            [] => return None,
        }
    }
}

/// The length of a segment after its marker, including the two bytes that state it; zero for a marker without a segment.
/// Metadata whose length is impossible ends after these bytes, so that reading continues at the next marker.
fn segment_length(marker: u8, after_marker: &[u8]) -> usize {
    let has_segment = !matches!(marker, 0x01 | 0xD0..=0xD9);
    let length = match after_marker {
        [high, low, ..] if has_segment => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let is_impossible = length < 2 || length > after_marker.len();
    if is_metadata(marker) && is_impossible { 2 } else { length }
}

/// Application data and comments.
fn is_metadata(marker: u8) -> bool {
    matches!(marker, 0xE0..=0xEF | 0xFE)
}

/// Whether the decoder needs a metadata segment to tell the colour space: those of JFIF, AVI and Adobe.
fn is_needed(marker: u8, body: &[u8]) -> bool {
    match (marker, body) {
        (0xE0, [_, _, contents @ ..]) => {
            contents.starts_with(b"JFIF\0") || contents.starts_with(b"AVI1\0")
        }
        // The decoder rejects other transforms than these three.
        (0xEE, [_, _, b'A', b'd', b'o', b'b', b'e', 0, _, _, _, _, _, transform, ..]) => {
            *transform <= 2
        }
        _ => false,
    }
}

/// The length of entropy-coded data, which ends before the next marker that is not a restart.
fn scan_length(bytes: &[u8]) -> usize {
    memchr::memchr_iter(0xFF, bytes)
        .find(|&at| !matches!(bytes.get(at + 1), Some(0x00 | 0xD0..=0xD7 | 0xFF) | None))
        .unwrap_or(bytes.len())
}
