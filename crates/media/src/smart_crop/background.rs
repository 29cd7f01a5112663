//! The colours of an image's background.
//!
//! Colours like those of skin attract the crop, and saturated ones. A wall, sand or wood of such a colour would count for
//! more than what is in front of it.

use crate::rgb_image::RgbImage;

/// Steps per colour component.
const STEPS: usize = 16;

/// A colour belongs to the background if at least one of this many pixels at the edges has about the same.
const EDGE_SHARE: u32 = 6;

/// The colours that are frequent at the edges of an image.
pub(super) struct Background {
    contains: Vec<bool>,
}

impl Background {
    pub(super) fn of(image: &RgbImage) -> Self {
        let (width, height) = image.dimensions();
        let mut counts = vec![0; STEPS * STEPS * STEPS];
        let mut total = 0;
        for (x, y, pixel) in image.positioned_pixels() {
            if x == 0 || y == 0 || x == width - 1 || y == height - 1 {
                counts[index(step_of(pixel))] += 1;
                total += 1;
            }
        }
        let is_frequent = |cell| count_around(&counts, cell) * EDGE_SHARE >= total;
        Self { contains: (0..counts.len()).map(is_frequent).collect() }
    }

    pub(super) fn contains(&self, pixel: [u8; 3]) -> bool {
        self.contains[index(step_of(pixel))]
    }
}

fn step_of(pixel: [u8; 3]) -> [usize; 3] {
    pixel.map(|value| usize::from(value) * STEPS / 256)
}

fn index([red, green, blue]: [usize; 3]) -> usize {
    (red * STEPS + green) * STEPS + blue
}

/// The number of pixels in a cell and those next to it.
fn count_around(counts: &[u32], cell: usize) -> u32 {
    let around = |step: usize| step.saturating_sub(1)..=(step + 1).min(STEPS - 1);
    let [red, green, blue] = [cell / STEPS / STEPS, cell / STEPS % STEPS, cell % STEPS];
    let mut count = 0;
    for red in around(red) {
        for green in around(green) {
            count += around(blue).map(|blue| counts[index([red, green, blue])]).sum::<u32>();
        }
    }
    count
}
