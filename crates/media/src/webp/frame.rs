//! Where the coded frame is that the decoder will take, since it believes what it finds there.

use std::iter;

use crate::ImageError;

/// A frame as it is coded.
pub(super) enum Frame<'a> {
    /// With its alpha, which is coded by itself.
    Lossy {
        frame: &'a [u8],
        alpha: Option<&'a [u8]>,
    },
    Lossless(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// The frame of a still picture, or the first of an animation; and how large the file says that it is.
    pub(super) fn find(
        bytes: &'a [u8],
        animated: bool,
        canvas: (u32, u32),
    ) -> Result<(Self, (u32, u32)), ImageError> {
        let file = bytes.get(12..).ok_or(ImageError::Corrupt)?;
        let named = |name: &[u8; 4]| chunks(file).find(|it| it.0 == name).map(|it| it.1);
        if !animated {
            let lossy = named(b"VP8 ").map(|frame| Self::Lossy { frame, alpha: named(b"ALPH") });
            // The decoder prefers this one where there are both.
            let frame = named(b"VP8L").map(Self::Lossless).or(lossy);
            return Ok((frame.ok_or(ImageError::Corrupt)?, canvas));
        }
        let (place, data) =
            named(b"ANMF").and_then(|it| it.split_at_checked(16)).ok_or(ImageError::Corrupt)?;
        let side = |at: usize| u32::from_le_bytes([place[at], place[at + 1], place[at + 2], 0]) + 1;
        let mut parts = chunks(data);
        let frame = match parts.next().ok_or(ImageError::Corrupt)? {
            (b"VP8L", data) => Self::Lossless(data),
            (b"VP8 ", frame) => Self::Lossy { frame, alpha: None },
            (_, alpha) => {
                let (_, frame) = parts.next().ok_or(ImageError::Corrupt)?;
                Self::Lossy { frame, alpha: Some(alpha) }
            }
        };
        Ok((frame, (side(6), side(9))))
    }
}

/// The sides that a lossy frame has by its own account.
pub(super) fn lossy_sides(frame: &[u8]) -> Option<(u32, u32)> {
    let &[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = frame else { return None };
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
    Some((side([w0, w1]), side([h0, h1])))
}

/// Names and contents, of the last as much as there is.
fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    iter::from_fn(move || {
        let (name, behind) = rest.split_first_chunk::<4>()?;
        let (length, behind) = behind.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        rest = behind.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((name, &behind[..length.min(behind.len())]))
    })
}
