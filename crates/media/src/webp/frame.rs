//! Finds the frame that the decoder will use, to check its contents first: the decoder trusts them.

use std::iter;

use crate::ImageError;

/// An encoded frame.
pub(super) enum Frame<'a> {
    /// The alpha channel is encoded separately.
    Lossy {
        frame: &'a [u8],
        alpha: Option<&'a [u8]>,
    },
    Lossless(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// The frame of a still image, or the first one of an animation, and its dimensions according to the container.
    pub(super) fn find(
        bytes: &'a [u8],
        is_animated: bool,
        canvas: (u32, u32),
    ) -> Result<(Self, (u32, u32)), ImageError> {
        let file = bytes.get(12..).ok_or(ImageError::Corrupt)?;
        let find_chunk =
            |name: &[u8; 4]| chunks(file).find(|chunk| chunk.0 == name).map(|chunk| chunk.1);
        if !is_animated {
            let lossy =
                find_chunk(b"VP8 ").map(|frame| Self::Lossy { frame, alpha: find_chunk(b"ALPH") });
            // If both are present, the decoder prefers this one.
            let frame = find_chunk(b"VP8L").map(Self::Lossless).or(lossy);
            return Ok((frame.ok_or(ImageError::Corrupt)?, canvas));
        }
        let (header, data) = find_chunk(b"ANMF")
            .and_then(|chunk| chunk.split_at_checked(16))
            .ok_or(ImageError::Corrupt)?;
        let side = |index: usize| {
            u32::from_le_bytes([header[index], header[index + 1], header[index + 2], 0]) + 1
        };
        let mut frame_chunks = chunks(data);
        let frame = match frame_chunks.next().ok_or(ImageError::Corrupt)? {
            (b"VP8L", data) => Self::Lossless(data),
            (b"VP8 ", frame) => Self::Lossy { frame, alpha: None },
            (_, alpha) => {
                let (_, frame) = frame_chunks.next().ok_or(ImageError::Corrupt)?;
                Self::Lossy { frame, alpha: Some(alpha) }
            }
        };
        Ok((frame, (side(6), side(9))))
    }
}

/// The dimensions in a lossy frame's own header.
pub(super) fn lossy_dimensions(frame: &[u8]) -> Option<(u32, u32)> {
    let &[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = frame else { return None };
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    Some((side([w0, w1]), side([h0, h1])))
}

/// The chunks' names and contents. The last chunk may be truncated.
pub(super) fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    iter::from_fn(move || {
        let (name, after_name) = rest.split_first_chunk::<4>()?;
        let (length, contents) = after_name.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest = contents.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((name, &contents[..length.min(contents.len())]))
    })
}
