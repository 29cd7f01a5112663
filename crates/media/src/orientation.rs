//! Rotates and flips images by their EXIF orientation. This is done last, when they are small.

use crate::Square;
use crate::rgb_image::RgbImage;

/// How the stored image becomes the one that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Orientation {
    /// Whether stored columns are shown as rows.
    swaps_sides: bool,
    /// Whether stored rows are read from the right.
    from_right: bool,
    /// Whether stored columns are read from the bottom.
    from_bottom: bool,
}

impl Orientation {
    /// The image is shown as it is stored.
    pub(crate) const NONE: Self = Self::new(false, false, false);

    const fn new(swaps_sides: bool, from_right: bool, from_bottom: bool) -> Self {
        Self { swaps_sides, from_right, from_bottom }
    }

    /// The orientation that EXIF numbers from 1 to 8.
    fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::NONE,
            2 => Self::new(false, true, false),
            3 => Self::new(false, true, true),
            4 => Self::new(false, false, true),
            5 => Self::new(true, false, false),
            6 => Self::new(true, false, true),
            7 => Self::new(true, true, true),
            8 => Self::new(true, true, false),
            _ => return None,
        })
    }

    /// Reads the orientation from EXIF data, which is a TIFF file: the number in the first directory that has the tag, the
    /// type and the count of an orientation.
    fn from_exif(exif: &[u8]) -> Option<Self> {
        /// Tag 0x0112, one value of 16 bits.
        const FIELD: (u16, u16, u32) = (0x0112, 3, 1);

        let is_little_endian = match exif.first_chunk()? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let two = |bytes: [u8; 2]| {
            if is_little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
        };
        let four = |bytes: [u8; 4]| {
            if is_little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        };
        let directory = usize::try_from(four(*exif.get(4..)?.first_chunk()?)).ok()?;
        let (count, fields) = exif.get(directory..)?.split_first_chunk()?;
        let fields = fields.as_chunks().0.iter().take(two(*count).into());
        let codes = fields.filter_map(|&[t0, t1, f0, f1, c0, c1, c2, c3, v0, v1, _, _]| {
            let field = (two([t0, t1]), two([f0, f1]), four([c0, c1, c2, c3]));
            (field == FIELD).then(|| two([v0, v1]))
        });
        codes.take(1).find_map(Self::from_code)
    }
}

/// The first orientation that one of these pieces of EXIF data has, each with or without the prefix of JPEG, which some
/// programs write in other formats too.
pub(crate) fn first_in(exif: &[&[u8]]) -> Orientation {
    exif.iter()
        .map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
        .find_map(Orientation::from_exif)
        .unwrap_or(Orientation::NONE)
}

/// Rotates and flips an image.
pub(crate) fn apply(orientation: Orientation, stored: RgbImage) -> RgbImage {
    if orientation == Orientation::NONE {
        return stored;
    }
    let (width, height) = oriented_dimensions(orientation, stored.dimensions());
    let stored_index = |x: u32, y: u32| {
        let pixel = Square { x, y, side: 1 };
        let Square { x, y, .. } = to_stored(orientation, pixel, stored.width(), stored.height());
        y as usize * stored.width() as usize + x as usize
    };
    let pixels = stored.pixels();
    let mut shown = RgbImage::new(width, height);
    for (y, row) in (0..).zip(shown.rows_mut()) {
        // The stored pixels of a row are equally far from each other.
        let (first, last) = (stored_index(0, y), stored_index(width - 1, y));
        let step = first.abs_diff(last) / (width as usize - 1).max(1);
        for (x, pixel) in row.as_chunks_mut().0.iter_mut().enumerate() {
            let distance = x * step;
            *pixel = pixels[if last < first { first - distance } else { first + distance }];
        }
    }
    shown
}

/// Converts stored dimensions to those after rotation, and back, since the conversion is its own inverse.
pub(crate) fn oriented_dimensions(
    orientation: Orientation,
    (width, height): (u32, u32),
) -> (u32, u32) {
    if orientation.swaps_sides { (height, width) } else { (width, height) }
}

/// Converts a square of the rotated image to the stored image, which is `width` by `height`.
pub(crate) fn to_stored(
    orientation: Orientation,
    square: Square,
    width: u32,
    height: u32,
) -> Square {
    let Square { x, y, side } = square;
    let (x, y) = if orientation.swaps_sides { (y, x) } else { (x, y) };
    Square {
        x: if orientation.from_right { width - side - x } else { x },
        y: if orientation.from_bottom { height - side - y } else { y },
        side,
    }
}
