//! Resizes images.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::Square;

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

fn resize(image: &RgbImage, options: &ResizeOptions, width: u32, height: u32) -> RgbImage {
    let source = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3)
        .expect("the buffer matches the dimensions");
    let mut target = Image::new(width, height, PixelType::U8x3);
    Resizer::new()
        .resize(&source, &mut target, options)
        .expect("the pixel types match, and the crop is inside the image");
    RgbImage::from_raw(width, height, target.into_vec()).expect("the buffer matches the dimensions")
}
