//! How much the parts of an image attract attention: by detail, and by colours like those of skin or saturated ones unless
//! they belong to the background. The weights are those of smartcrop.js.
//!
//! All values are whole numbers, so that a symmetric image has a symmetric result.

use super::background::Background;
use crate::rgb_image::RgbImage;

/// What a pixel counts that is not background, for any colour: a tenth of what the strongest detail does.
const FOREGROUND: u64 = 1_300;

/// The colour of skin, of length 1.
const SKIN: [f64; 3] = [0.78, 0.57, 0.44];

/// The saliency of each column of a wide image, or of each row of a high one.
pub(super) fn of_lines(image: &RgbImage) -> Vec<u64> {
    let (width, height) = image.dimensions();
    let background = Background::of(image);
    let is_wide = width > height;
    let mut lines = vec![0; width.max(height) as usize];
    for (x, y, pixel) in image.positioned_pixels() {
        let line = if is_wide { x } else { y };
        lines[line as usize] += of_pixel(pixel, detail(image, x, y), background.contains(pixel));
    }
    lines
}

fn of_pixel(pixel: [u8; 3], detail: u64, is_background: bool) -> u64 {
    if is_background {
        return detail * 51;
    }
    let by_skin = likeness_to_skin(pixel) * (detail + 5) * 9 / 5;
    let by_saturation = excess_saturation(pixel) * (detail + 51) / 10;
    detail * 51 + FOREGROUND + by_skin + by_saturation
}

/// The difference in lightness to the four pixels next to this one, up to 255.
fn detail(image: &RgbImage, x: u32, y: u32) -> u64 {
    let (width, height) = image.dimensions();
    if x == 0 || y == 0 || x == width - 1 || y == height - 1 {
        return 0;
    }
    let at = |x: u32, y: u32| lightness(image.pixel(x, y));
    let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
    (at(x, y) * 4).abs_diff(around).min(2_550) / 10
}

/// From 0 to 2,550.
fn lightness([red, green, blue]: [u8; 3]) -> u64 {
    let [red, green, blue] = [red, green, blue].map(u64::from);
    (red * 2_126 + green * 7_152 + blue * 722) / 1_000
}

/// From 0, for colours that are not like skin, to 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between 0 and 255"
)]
fn likeness_to_skin(pixel: [u8; 3]) -> u64 {
    const THRESHOLD: f64 = 0.8;

    let length = pixel.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    if lightness(pixel) < 510 || length == 0.0 {
        return 0;
    }
    let squares =
        pixel.iter().zip(SKIN).map(|(&value, skin)| (f64::from(value) / length - skin).powi(2));
    let likeness = 1.0 - squares.sum::<f64>().sqrt();
    ((likeness - THRESHOLD).max(0.0) / (1.0 - THRESHOLD) * 255.0) as u64
}

/// From 0, for a saturation of up to 40 % and very dark or light colours, to 255.
fn excess_saturation(pixel: [u8; 3]) -> u64 {
    let [highest, lowest] =
        [pixel.iter().max(), pixel.iter().min()].map(|value| value.copied().map_or(0, u64::from));
    let sum = highest + lowest;
    let range = if sum > 255 { 510 - sum } else { sum };
    if range == 0 || !(127..=2_295).contains(&lightness(pixel)) {
        return 0;
    }
    let percent = (highest - lowest) * 100 / range;
    percent.saturating_sub(40) * 255 / 60
}
