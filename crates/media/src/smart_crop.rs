//! Finds the square that people would look at.

use std::num::NonZeroU32;

use image::RgbImage;
use image::metadata::Orientation;
use smartcrop::{Crop, Image, RGB, ResizableImage};

use crate::resize::{self, Filter};
use crate::sizes::scaled;
use crate::{Square, orientation};

/// The longer side of the small copy that is looked at: time grows with its square.
const LONG: u32 = 192;

/// The best of the largest squares of a picture that is `width` by `height` when it is turned.
pub(crate) fn find_square(
    pixels: &RgbImage,
    orientation: Orientation,
    width: u32,
    height: u32,
) -> Square {
    let side = width.min(height);
    let room = width.max(height) - side;
    let start = if room == 0 { 0 } else { start(&small(pixels, orientation), room) };
    let (x, y) = if width > height { (start, 0) } else { (0, start) };
    Square { x, y, side }
}

/// How many of `room` pixels come before the square.
fn start(small: &RgbImage, room: u32) -> u32 {
    let one = NonZeroU32::MIN;
    let (width, height) = small.dimensions();
    let spare = width.abs_diff(height);
    let best = smartcrop::find_best_crop(&CropSource(small), one, one);
    // So long and narrow a picture that the copy is a square has its middle taken.
    let (Ok(best), 1..) = (best, spare) else { return room / 2 };
    let Crop { x, y, .. } = best.crop;
    scaled(x.max(y).min(spare), room, spare)
}

fn small(pixels: &RgbImage, orientation: Orientation) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let long = width.max(height).max(LONG);
    let smaller = |side: u32| (side * LONG / long).max(1);
    let small = resize::all(pixels, smaller(width), smaller(height), Filter::Quick);
    orientation::apply(orientation, small)
}

/// A picture that smartcrop may look at. It is so small already that it is never resized.
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
