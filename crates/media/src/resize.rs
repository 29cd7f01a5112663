//! Other sizes of a picture.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::Square;

/// How pixels become fewer, or more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filter {
    /// For people.
    Sharp,
    /// For what only a program looks at.
    Quick,
}

/// Makes all of a picture smaller or larger.
pub(crate) fn all(from: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize(from, &options(filter), width, height)
}

/// Makes a square of a picture as large as `side`.
pub(crate) fn square(from: &RgbImage, square: Square, side: u32) -> RgbImage {
    let [x, y, across] = [square.x, square.y, square.side].map(f64::from);
    resize(from, &options(Filter::Sharp).crop(x, y, across, across), side, side)
}

fn options(filter: Filter) -> ResizeOptions {
    let filter = match filter {
        Filter::Sharp => FilterType::Lanczos3,
        Filter::Quick => FilterType::Box,
    };
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter))
}

fn resize(from: &RgbImage, options: &ResizeOptions, width: u32, height: u32) -> RgbImage {
    let source = ImageRef::new(from.width(), from.height(), from.as_raw(), PixelType::U8x3)
        .expect("as many bytes as the sides say");
    let mut target = Image::new(width, height, PixelType::U8x3);
    Resizer::new()
        .resize(&source, &mut target, options)
        .expect("both have the same kind of pixels, and what is taken is inside");
    RgbImage::from_raw(width, height, target.into_vec()).expect("as many bytes as the sides say")
}
