//! Separates a PNG's metadata from its image data.

use crate::icc::{MAX_PROFILE_BYTES, Profile};

/// Length of the file signature.
const SIGNATURE_BYTES: usize = 8;

/// How often image data is looked for after a wrong length; each time can take a pass over the file.
const MAX_SEARCHES: u32 = 16;

/// A PNG's image data and the metadata before it.
#[derive(Default)]
pub(super) struct Chunks<'a> {
    /// The file without metadata and without animation: its critical chunks and `tRNS`.
    pub(super) image: Vec<u8>,
    /// The EXIF chunks before the pixels.
    pub(super) exif: Vec<&'a [u8]>,
    /// Contents of the chunk with a compressed ICC profile.
    compressed_profile: Option<&'a [u8]>,
    /// Contents of the chunk with coding-independent code points, which precede a profile.
    code_points: Option<[u8; 4]>,
}

impl<'a> Chunks<'a> {
    /// Reads the chunks up to the pixels.
    pub(super) fn before_pixels(bytes: &'a [u8]) -> Self {
        Self::read(bytes, true)
    }

    /// Reads the whole file.
    pub(super) fn all(bytes: &'a [u8]) -> Self {
        Self::read(bytes, false)
    }

    /// The profile that describes the colours.
    pub(super) fn profile(&self) -> Option<Profile> {
        if let Some(code_points) = self.code_points {
            return Profile::from_code_points(code_points);
        }
        let (_name, [0, deflated @ ..]) = split_at_zero(self.compressed_profile?)? else {
            return None;
        };
        let profile = fdeflate::decompress_to_vec_bounded(deflated, MAX_PROFILE_BYTES).ok()?;
        Profile::from_icc(&profile)
    }

    /// Upper bound for the size of the profile.
    pub(super) fn profile_bytes(&self) -> usize {
        /// The largest ratio of deflate.
        const MAX_RATIO: usize = 1032;

        let compressed = self.compressed_profile.unwrap_or_default().len();
        let code_points = usize::from(self.code_points.is_some());
        (compressed.saturating_mul(MAX_RATIO) + code_points).min(MAX_PROFILE_BYTES)
    }

    fn read(bytes: &'a [u8], stops_at_pixels: bool) -> Self {
        let mut chunks = Self { image: bytes[..SIGNATURE_BYTES].to_vec(), ..Self::default() };
        let mut is_before_pixels = true;
        let mut searches = 0;
        let mut rest = &bytes[SIGNATURE_BYTES..];
        while let Some(chunk) = Chunk::first(rest) {
            is_before_pixels &= chunk.name != b"IDAT";
            if chunk.is_image_data() {
                chunks.image.extend_from_slice(&rest[..chunk.length]);
                if chunk.name == b"IEND" || stops_at_pixels && !is_before_pixels {
                    break;
                }
                rest = &rest[chunk.length..];
                continue;
            }
            if is_before_pixels && chunk.is_intact() {
                chunks.collect(&chunk);
            }
            let next = &rest[chunk.length..];
            rest = if Chunk::first(next).is_some_and(|chunk| chunk.has_valid_name()) {
                next
            } else if searches < MAX_SEARCHES {
                searches += 1;
                find_image_data(&rest[8..])
            } else {
                break;
            };
        }
        chunks
    }

    fn collect(&mut self, chunk: &Chunk<'a>) {
        match chunk.name {
            b"eXIf" => self.exif.push(chunk.contents),
            b"iCCP" => self.compressed_profile = self.compressed_profile.or(Some(chunk.contents)),
            b"cICP" => self.code_points = self.code_points.or(chunk.contents.try_into().ok()),
            _ => {}
        }
    }
}

/// A chunk, which may be truncated.
struct Chunk<'a> {
    name: &'a [u8; 4],
    contents: &'a [u8],
    checksum: &'a [u8],
    /// The length of the whole chunk in the file.
    length: usize,
}

impl<'a> Chunk<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (contents, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let checksum = &rest[..rest.len().min(4)];
        Some(Self { name, contents, checksum, length: 8 + contents.len() + checksum.len() })
    }

    /// Whether the chunk is critical, by the case of the first letter of its name, or has the transparency.
    fn is_image_data(&self) -> bool {
        self.name[0].is_ascii_uppercase() || self.name == b"tRNS"
    }

    fn has_valid_name(&self) -> bool {
        self.name.iter().all(u8::is_ascii_alphabetic)
    }

    /// Whether the chunk is whole, and its checksum is right.
    fn is_intact(&self) -> bool {
        if self.checksum.len() < 4 {
            return false;
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.name);
        hasher.update(self.contents);
        hasher.finalize().to_be_bytes() == self.checksum
    }
}

/// The file from the next chunk of image data by its name, after a metadata chunk whose length is wrong.
fn find_image_data(bytes: &[u8]) -> &[u8] {
    let is_image_data = |window: &[u8]| matches!(window, b"PLTE" | b"tRNS" | b"IDAT");
    // The four bytes before the name are the length.
    let at = bytes.windows(4).skip(4).position(is_image_data);
    at.map_or(&[], |at| &bytes[at..])
}

/// What is before and after the first zero byte.
fn split_at_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(0, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}
