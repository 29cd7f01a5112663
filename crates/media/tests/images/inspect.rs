//! Decodes and inspects output files.

use grateful_media::{DecodedImage, Purpose};
use image::RgbImage;
use jpeg_decoder::Decoder;

/// Decodes an RGB JPEG.
pub(crate) fn pixels(jpeg: &[u8]) -> RgbImage {
    let mut decoder = Decoder::new(jpeg);
    let pixels = decoder.decode().expect("a JPEG");
    let info = decoder.info().unwrap();
    RgbImage::from_raw(info.width.into(), info.height.into(), pixels).expect("three samples")
}

/// The decoded post image of a file.
pub(crate) fn post(file: &[u8]) -> RgbImage {
    pixels(&DecodedImage::decode(file, Purpose::Post).expect("an image").encode_post_image().jpeg)
}

/// The colours at the centres of the four quarters.
pub(crate) fn quarters(image: &RgbImage) -> [[u8; 3]; 4] {
    let (width, height) = image.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| image.get_pixel(width * x / 4, height * y / 4).0)
}

/// Panics if colours differ by more than JPEG compression explains.
#[track_caller]
pub(crate) fn assert_close(actual: &[[u8; 3]], expected: &[[u8; 3]], tolerance: u8) {
    assert_eq!(actual.len(), expected.len());
    let differs = |(one, other): (&[u8; 3], &[u8; 3])| {
        one.iter().zip(other).any(|(one, other)| one.abs_diff(*other) > tolerance)
    };
    assert!(!actual.iter().zip(expected).any(differs), "{actual:?} is not {expected:?}");
}

/// The mean colours of an 8 by 8 grid.
pub(crate) fn grid(image: &RgbImage) -> Vec<[u8; 3]> {
    let (width, height) = image.dimensions();
    let mean = |column: u32, row: u32| {
        let (left, right) = (column * width / 8, (column + 1) * width / 8);
        let (top, bottom) = (row * height / 8, (row + 1) * height / 8);
        let count = (right - left) * (bottom - top);
        [0, 1, 2].map(|colour| {
            let positions = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
            let sum: u32 = positions.map(|(x, y)| u32::from(image.get_pixel(x, y)[colour])).sum();
            u8::try_from(sum / count).unwrap()
        })
    };
    (0..8).flat_map(|row| (0..8).map(move |column| mean(column, row))).collect()
}

/// The markers and segments of a JPEG, without entropy-coded data.
pub(crate) fn segments(jpeg: &[u8]) -> Vec<(u8, &[u8])> {
    assert_eq!(jpeg[..2], [0xFF, 0xD8]);
    let mut segments = Vec::new();
    let mut position = 2;
    loop {
        let marker = jpeg[position + 1];
        assert_eq!(jpeg[position], 0xFF, "no marker at {position}");
        if marker == 0xD9 {
            assert_eq!(position + 2, jpeg.len(), "data after the end");
            return segments;
        }
        let length = usize::from(u16::from_be_bytes([jpeg[position + 2], jpeg[position + 3]]));
        segments.push((marker, &jpeg[position + 4..position + 2 + length]));
        position += 2 + length;
        if marker == 0xDA {
            let is_marker = |pair: &[u8]| pair[0] == 0xFF && pair[1] != 0;
            position += jpeg[position..].windows(2).position(is_marker).expect("an end marker");
        }
    }
}
