//! Resizes images.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::Square;
use crate::rgb_image::RgbImage;

/// The resampling filter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filter {
    /// Lanczos, for output images.
    Sharp,
    /// Box, for analysis.
    Fast,
}

/// Resizes the whole image.
pub(crate) fn whole(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize(image, &options(filter), width, height)
}

/// Crops a square and resizes it to `side`.
pub(crate) fn square(image: &RgbImage, square: Square, side: u32) -> RgbImage {
    let [x, y, crop_side] = [square.x, square.y, square.side].map(f64::from);
    resize(image, &options(Filter::Sharp).crop(x, y, crop_side, crop_side), side, side)
}

fn options(filter: Filter) -> ResizeOptions {
    let filter = match filter {
        Filter::Sharp => FilterType::Lanczos3,
        Filter::Fast => FilterType::Box,
    };
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter))
}

/// Names the type of pixel, so that the code of the resizer is compiled for this one alone.
fn resize(image: &RgbImage, options: &ResizeOptions, width: u32, height: u32) -> RgbImage {
    let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image.samples())
        .expect("the buffer matches the dimensions");
    let mut resized = RgbImage::new(width, height);
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, resized.samples_mut())
        .expect("the buffer matches the dimensions");
    Resizer::new()
        .resize_typed(&source, &mut target, options)
        .expect("the crop is inside the image");
    resized
}
