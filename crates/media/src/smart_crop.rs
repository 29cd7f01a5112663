//! Finds the most salient square of an image.

use std::num::NonZeroU32;

use image::RgbImage;
use image::metadata::Orientation;
use smartcrop::{Crop, Image, RGB, ResizableImage};

use crate::resize::{self, Filter};
use crate::sizes::scaled;
use crate::{Square, orientation};

/// Longer side of the copy that is analysed, in pixels. The time grows with its square.
const ANALYSIS_SIDE: u32 = 192;

/// The most salient of the largest squares of an image that is `width` by `height` after rotation.
pub(crate) fn find_square(
    pixels: &RgbImage,
    orientation: Orientation,
    width: u32,
    height: u32,
) -> Square {
    let side = width.min(height);
    let margin = width.max(height) - side;
    let start =
        if margin == 0 { 0 } else { find_start(&analysis_copy(pixels, orientation), margin) };
    let (x, y) = if width > height { (start, 0) } else { (0, start) };
    Square { x, y, side }
}

/// The position of the square along the longer side, from 0 to `margin`.
fn find_start(copy: &RgbImage, margin: u32) -> u32 {
    let one = NonZeroU32::MIN;
    let (width, height) = copy.dimensions();
    let copy_margin = width.abs_diff(height);
    let best = smartcrop::find_best_crop(&CropSource(copy), one, one);
    // If the image is so narrow that its copy is a square, the crop is centred.
    let (Ok(best), 1..) = (best, copy_margin) else { return margin / 2 };
    let Crop { x, y, .. } = best.crop;
    scaled(x.max(y).min(copy_margin), margin, copy_margin)
}

fn analysis_copy(pixels: &RgbImage, orientation: Orientation) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let longer_side = width.max(height).max(ANALYSIS_SIDE);
    let reduced = |side: u32| (side * ANALYSIS_SIDE / longer_side).max(1);
    let copy = resize::whole(pixels, reduced(width), reduced(height), Filter::Fast);
    orientation::apply(orientation, copy)
}

/// Adapter for smartcrop. The copy is small enough to be analysed without resizing.
#[derive(Clone, Copy)]
struct CropSource<'a>(&'a RgbImage);

impl Image for CropSource<'_> {
    fn width(&self) -> u32 {
        self.0.width()
    }

    fn height(&self) -> u32 {
        self.0.height()
    }

    fn get(&self, x: u32, y: u32) -> RGB {
        let [red, green, blue] = self.0.get_pixel(x, y).0;
        RGB::new(red, green, blue)
    }
}

impl ResizableImage<Self> for CropSource<'_> {
    fn resize(&self, _: u32, _: u32) -> Self {
        *self
    }

    fn crop_and_resize(&self, _: Crop, _: u32, _: u32) -> Self {
        *self
    }
}
