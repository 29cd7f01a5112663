//! Separates a WebP's metadata from its image data.

use std::borrow::Cow;

use super::frame::chunks;

/// The flags of the `VP8X` chunk that announce EXIF and XMP. The decoder rejects a file that has neither after all.
const ANNOUNCED_METADATA: u8 = 0x08 | 0x04;

/// Position of the flags in a file that starts with a `VP8X` chunk.
const FLAGS_AT: usize = 20;

/// Position of the second chunk in such a file.
const SECOND_CHUNK_AT: usize = 30;

/// A WebP file that the decoder can read, and its metadata.
pub(super) struct Container<'a> {
    /// The file, in which no metadata is announced.
    pub(super) file: Cow<'a, [u8]>,
    /// The EXIF chunks.
    pub(super) exif: Vec<&'a [u8]>,
    /// The ICC profile.
    pub(super) profile: Option<&'a [u8]>,
}

impl<'a> Container<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let is_extended = bytes.get(12..16) == Some(b"VP8X") && bytes.len() >= SECOND_CHUNK_AT;
        if !is_extended {
            return Self { file: Cow::Borrowed(bytes), exif: Vec::new(), profile: None };
        }
        let find_all = |name: &'static [u8; 4]| {
            chunks(&bytes[12..]).filter(move |chunk| chunk.0 == name).map(|chunk| chunk.1)
        };
        Self {
            file: without_announcements(bytes),
            exif: find_all(b"EXIF").collect(),
            profile: find_all(b"ICCP").next(),
        }
    }
}

/// The file without flags that announce metadata, and without metadata that hides the image by a wrong length.
fn without_announcements(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_image = |name: &[u8]| matches!(name, b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF");
    let hides_image = !chunks(&bytes[12..]).any(|(name, _)| is_image(name));
    if bytes[FLAGS_AT] & ANNOUNCED_METADATA == 0 && !hides_image {
        return Cow::Borrowed(bytes);
    }
    let mut file = bytes.to_vec();
    file[FLAGS_AT] &= !ANNOUNCED_METADATA;
    if hides_image && let Some(length) = bytes[SECOND_CHUNK_AT..].windows(4).position(is_image) {
        file.drain(SECOND_CHUNK_AT..SECOND_CHUNK_AT + length);
    }
    Cow::Owned(file)
}
