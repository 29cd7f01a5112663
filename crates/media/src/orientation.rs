//! Rotates and flips images by their EXIF orientation. This is done last, when they are small.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::Square;

/// The first orientation that one of these pieces of EXIF data has, each with or without the prefix of JPEG, which some
/// programs write in other formats too.
pub(crate) fn first_in(exif: &[&[u8]]) -> Orientation {
    exif.iter()
        .map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
        .find_map(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

/// Rotates and flips an image.
pub(crate) fn apply(orientation: Orientation, image: RgbImage) -> RgbImage {
    let mut dynamic = DynamicImage::ImageRgb8(image);
    dynamic.apply_orientation(orientation);
    dynamic.into_rgb8()
}

/// Converts stored dimensions to those after rotation, and back, since the conversion is its own inverse.
pub(crate) fn oriented_dimensions(
    orientation: Orientation,
    (width, height): (u32, u32),
) -> (u32, u32) {
    if swaps_sides(orientation) { (height, width) } else { (width, height) }
}

/// Converts a square of the rotated image to the stored image, which is `width` by `height`.
pub(crate) fn to_stored(
    orientation: Orientation,
    square: Square,
    width: u32,
    height: u32,
) -> Square {
    use Orientation::{
        FlipHorizontal, FlipVertical, Rotate90, Rotate180, Rotate270, Rotate270FlipH,
    };
    let Square { x, y, side } = square;
    let (x, y) = if swaps_sides(orientation) { (y, x) } else { (x, y) };
    let from_right = matches!(orientation, FlipHorizontal | Rotate180 | Rotate270 | Rotate270FlipH);
    let from_bottom = matches!(orientation, FlipVertical | Rotate180 | Rotate90 | Rotate270FlipH);
    Square {
        x: if from_right { width - side - x } else { x },
        y: if from_bottom { height - side - y } else { y },
        side,
    }
}

fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}
