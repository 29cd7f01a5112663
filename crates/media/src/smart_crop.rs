//! Finds the most salient square of an image.

mod background;
mod saliency;

use std::cmp::Reverse;

use crate::Square;
use crate::orientation::{self, Orientation};
use crate::resize::{self, Filter};
use crate::rgb_image::RgbImage;
use crate::sizes::scaled;

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
    let (width, height) = copy.dimensions();
    let side = width.min(height);
    let copy_margin = width.max(height) - side;
    let lines = above_baseline(saliency::of_lines(copy));
    let scores = lines.windows(side as usize).map(score);
    // Of equally good positions, the one closest to the middle.
    let best = (0..)
        .zip(scores)
        .max_by_key(|&(start, score)| (score, Reverse(copy_margin.abs_diff(start * 2))));
    match best {
        Some((start, _)) if copy_margin > 0 => scaled(start, margin, copy_margin),
        // The image is so narrow that its copy is a square.
        _ => margin / 2,
    }
}

/// Subtracts what three quarters of the lines exceed, such as the texture of a background.
fn above_baseline(mut lines: Vec<u64>) -> Vec<u64> {
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    let baseline = sorted.get(sorted.len() / 4).copied().unwrap_or(0);
    for line in &mut lines {
        *line = line.saturating_sub(baseline);
    }
    lines
}

/// The saliency in a square's lines. Lines in the middle count most, and those at the ends count nothing, so the best square
/// has the salient region in its middle, as closely as the edges of the image allow.
fn score(lines: &[u64]) -> u64 {
    let count = lines.len() as u64;
    let weight = |index: u64| count * count - (index * 2 + 1).abs_diff(count).pow(2);
    (0..).zip(lines).map(|(index, line)| line * weight(index)).sum()
}

fn analysis_copy(pixels: &RgbImage, orientation: Orientation) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let longer_side = width.max(height).max(ANALYSIS_SIDE);
    let reduced = |side: u32| (side * ANALYSIS_SIDE / longer_side).max(1);
    let copy = resize::whole(pixels, reduced(width), reduced(height), Filter::Fast);
    orientation::apply(orientation, copy)
}
