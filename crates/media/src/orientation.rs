//! Turning pictures the right way up, which is done last, when they are small.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use crate::Square;

/// Turns a picture.
pub(crate) fn apply(orientation: Orientation, image: RgbImage) -> RgbImage {
    let mut turned = DynamicImage::ImageRgb8(image);
    turned.apply_orientation(orientation);
    turned.into_rgb8()
}

/// The sides of a picture when it is turned; and, since this undoes itself, those that it had before.
pub(crate) fn oriented_dimensions(
    orientation: Orientation,
    (width, height): (u32, u32),
) -> (u32, u32) {
    if swaps_sides(orientation) { (height, width) } else { (width, height) }
}

/// Where a square of a turned picture is before turning, in a picture that is then `width` by `height`.
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
