//! Compares converted pixels with what Little CMS makes of them, before they are encoded.

use image::ExtendedColorType;
use jpeg_encoder::{ColorType, SamplingFactor};
use png::BitDepth;

use self::profiles::{ADOBE, GAMMA_1_8, GAMMA_2_2, P3, PROPHOTO, SRGB};
use super::{DecodedImage, Purpose};

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../../tests/images/fixtures.rs"]
mod fixtures;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../../tests/images/profiles.rs"]
mod profiles;

const SIDES: (u32, u32) = (24, 16);

/// Maximum difference to Little CMS.
const TOLERANCE: u8 = 2;

/// The same for a profile with a lookup table, which is interpolated: that of dark components is larger.
const TABLE_TOLERANCE: u8 = 4;

const COLOURS: [[u8; 3]; 7] = [
    [200, 60, 60],
    [30, 160, 90],
    [12, 20, 200],
    [128, 128, 128],
    [5, 10, 15],
    [250, 240, 20],
    [90, 60, 40],
];
const GREYS: [u8; 7] = [0, 3, 20, 90, 128, 200, 255];

/// The greys with a gamma of 1.8, converted by `tests/images/profiles.py`.
const CONVERTED_GREYS: [u8; 7] = [0, 2, 26, 109, 146, 210, 255];

/// Profiles of RGB as a matrix, and the colours converted by `tests/images/profiles.py`.
fn references() -> Vec<(Vec<u8>, [[u8; 3]; 7])> {
    vec![
        (
            profiles::rgb_with_srgb_curve(P3),
            [
                [217, 42, 52],
                [0, 163, 82],
                [10, 20, 208],
                [128, 128, 128],
                [4, 10, 15],
                [252, 240, 0],
                [95, 58, 36],
            ],
        ),
        (
            profiles::rgb(ADOBE, GAMMA_2_2),
            [
                [231, 57, 57],
                [0, 161, 85],
                [1, 12, 205],
                [129, 129, 129],
                [0, 3, 7],
                [254, 240, 0],
                [99, 57, 34],
            ],
        ),
        (
            profiles::rgb(PROPHOTO, GAMMA_1_8),
            [
                [255, 0, 74],
                [0, 192, 94],
                [0, 25, 224],
                [146, 146, 146],
                [0, 11, 19],
                [255, 241, 0],
                [136, 67, 47],
            ],
        ),
        (
            profiles::rgb(P3, 256),
            [
                [244, 127, 130],
                [10, 211, 157],
                [56, 80, 238],
                [188, 188, 188],
                [33, 56, 70],
                [254, 248, 0],
                [166, 132, 107],
            ],
        ),
    ]
}

/// The colour in the middle of a decoded file.
fn decoded(file: &[u8]) -> [u8; 3] {
    DecodedImage::decode(file, Purpose::Post).unwrap().pixels.pixel(12, 8)
}

#[track_caller]
fn assert_close(actual: [u8; 3], expected: [u8; 3]) {
    assert_within(TOLERANCE, actual, expected);
}

#[track_caller]
fn assert_within(tolerance: u8, actual: [u8; 3], expected: [u8; 3]) {
    let is_close = actual.iter().zip(expected).all(|(one, other)| one.abs_diff(other) <= tolerance);
    assert!(is_close, "{actual:?} instead of {expected:?}");
}

fn plain(samples: &[u8]) -> Vec<u8> {
    samples.repeat(24 * 16)
}

/// A JPEG of one colour without loss apart from its colour space.
fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 100);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    encoder.encode(&plain(&colour), 24, 16, ColorType::Rgb).unwrap();
    file
}

fn jpeg_with(mut jpeg: Vec<u8>, profile: &[u8]) -> Vec<u8> {
    for segment in profiles::icc_segments(profile, 200.max(profile.len() / 100)) {
        jpeg = fixtures::with_segment(&jpeg, 0xE2, &segment);
    }
    jpeg
}

fn png_with(samples: &[u8], colour: png::ColorType, depth: BitDepth, profile: &[u8]) -> Vec<u8> {
    let png = fixtures::png_of(&plain(samples), SIDES, colour, depth);
    fixtures::with_chunk(&png, *b"iCCP", &profiles::compressed(profile))
}

fn webp_with(samples: &[u8], colour: ExtendedColorType, profile: &[u8]) -> Vec<u8> {
    let webp = fixtures::webp_of(&plain(samples), SIDES, colour);
    let alpha = if colour == ExtendedColorType::Rgba8 { 0x10 } else { 0 };
    fixtures::riff(&[
        (b"VP8X", &fixtures::canvas(0x20 | alpha, SIDES.0, SIDES.1)),
        (b"ICCP", profile),
        (b"VP8L", fixtures::encoded_frame(&webp)),
    ])
}

#[test]
fn colours_of_a_png_or_webp_with_a_profile_are_converted_to_srgb() {
    for (profile, expected) in references() {
        for (colour, expected) in COLOURS.into_iter().zip(expected) {
            let rgb = png::ColorType::Rgb;
            assert_close(decoded(&png_with(&colour, rgb, BitDepth::Eight, &profile)), expected);
            let deep: Vec<u8> = colour.iter().flat_map(|&sample| [sample; 2]).collect();
            assert_close(decoded(&png_with(&deep, rgb, BitDepth::Sixteen, &profile)), expected);
            let webp = webp_with(&colour, ExtendedColorType::Rgb8, &profile);
            assert_close(decoded(&webp), expected);
        }
    }
}

#[test]
fn colours_of_a_jpeg_with_a_profile_in_several_segments_are_converted_to_srgb() {
    for (profile, expected) in references() {
        let mut compared = 0;
        for (colour, expected) in COLOURS.into_iter().zip(expected) {
            let jpeg = jpeg(colour);
            // JPEG itself changes some colours a little.
            if decoded(&jpeg) == colour {
                assert_close(decoded(&jpeg_with(jpeg, &profile)), expected);
                compared += 1;
            }
        }
        assert!(compared >= 3, "{compared}");
    }
}

#[test]
fn colours_of_an_image_with_a_lookup_table_are_converted_to_srgb() {
    const CONVERTED: [[u8; 3]; 7] = [
        [240, 77, 77],
        [0, 176, 105],
        [6, 26, 214],
        [146, 146, 146],
        [2, 10, 18],
        [253, 243, 0],
        [119, 77, 52],
    ];
    let profile = profiles::lookup_table(ADOBE, 1.8);
    for (colour, expected) in COLOURS.into_iter().zip(CONVERTED) {
        let png = png_with(&colour, png::ColorType::Rgb, BitDepth::Eight, &profile);
        assert_within(TABLE_TOLERANCE, decoded(&png), expected);
        let webp = webp_with(&colour, ExtendedColorType::Rgb8, &profile);
        assert_within(TABLE_TOLERANCE, decoded(&webp), expected);
    }
}

#[test]
fn a_jpeg_is_converted_at_a_reduced_scale_too() {
    let (profile, expected) = references().swap_remove(0);
    let image = image::RgbImage::from_pixel(1100, 1100, image::Rgb([128; 3]));
    let file = jpeg_with(fixtures::jpeg(&image), &profile);
    let image = DecodedImage::decode(&file, Purpose::Profile).unwrap();
    assert_eq!(image.pixels.dimensions(), (550, 550));
    assert_close(image.pixels.pixel(300, 300), expected[3]);
}

#[test]
fn grey_images_with_a_profile_of_grey_are_converted() {
    let profile = profiles::grey(GAMMA_1_8);
    for (grey, expected) in GREYS.into_iter().zip(CONVERTED_GREYS) {
        let expected = [expected; 3];
        let jpeg = fixtures::jpeg_of(&plain(&[grey]), (24, 16), ColorType::Luma);
        if decoded(&jpeg) == [grey; 3] {
            assert_close(decoded(&jpeg_with(jpeg, &profile)), expected);
        }
        let one = png::ColorType::Grayscale;
        assert_close(decoded(&png_with(&[grey], one, BitDepth::Eight, &profile)), expected);
        assert_close(decoded(&png_with(&[grey; 2], one, BitDepth::Sixteen, &profile)), expected);
        let two = png::ColorType::GrayscaleAlpha;
        assert_close(decoded(&png_with(&[grey, 255], two, BitDepth::Eight, &profile)), expected);
    }
}

#[test]
fn grey_images_with_a_profile_of_rgb_use_its_curve() {
    let (profile, expected) = references().swap_remove(2);
    let one = png::ColorType::Grayscale;
    assert_close(decoded(&png_with(&[128], one, BitDepth::Eight, &profile)), expected[3]);
    let two = png::ColorType::GrayscaleAlpha;
    let file = png_with(&[128, 128, 255, 255], two, BitDepth::Sixteen, &profile);
    assert_close(decoded(&file), expected[3]);
    let jpeg = fixtures::jpeg_of(&plain(&[128]), (24, 16), ColorType::Luma);
    assert_close(decoded(&jpeg_with(jpeg, &profile)), expected[3]);
}

#[test]
fn transparent_colours_are_converted_before_they_are_blended_with_white() {
    let half = |colour: [u8; 3]| colour.map(|value| crate::alpha::blend_with_white(value, 128));
    let (profile, expected) = references().swap_remove(0);
    for (colour, expected) in COLOURS.into_iter().zip(expected) {
        let rgba = [&colour[..], &[128]].concat();
        let png = png_with(&rgba, png::ColorType::Rgba, BitDepth::Eight, &profile);
        assert_close(decoded(&png), half(expected));
        assert_close(
            decoded(&webp_with(&rgba, ExtendedColorType::Rgba8, &profile)),
            half(expected),
        );
    }
}

#[test]
fn a_profile_that_is_srgb_leaves_all_pixels_as_they_are() {
    let profile = profiles::rgb_with_srgb_curve(SRGB);
    for colour in COLOURS {
        let rgb = png::ColorType::Rgb;
        assert_eq!(decoded(&png_with(&colour, rgb, BitDepth::Eight, &profile)), colour);
    }
}

#[test]
fn a_profile_that_cannot_be_read_or_is_for_other_images_is_ignored() {
    let whole = profiles::rgb(PROPHOTO, GAMMA_1_8);
    let profiles = [
        vec![],
        b"no profile".to_vec(),
        vec![0; 5000],
        whole[..whole.len() - 20].to_vec(),
        whole[..200].to_vec(),
        profiles::grey(GAMMA_1_8),
        profiles::cmyk(),
        [&whole[..], &vec![0; 1 << 20]].concat(),
    ];
    for profile in profiles {
        let png = png_with(&COLOURS[0], png::ColorType::Rgb, BitDepth::Eight, &profile);
        assert_eq!(decoded(&png), COLOURS[0]);
        let webp = webp_with(&COLOURS[0], ExtendedColorType::Rgb8, &profile);
        assert_eq!(decoded(&webp), COLOURS[0]);
        assert_eq!(decoded(&jpeg_with(jpeg([128; 3]), &profile)), [128; 3]);
    }
}

#[test]
fn a_profile_of_a_jpeg_with_a_missing_part_is_ignored() {
    let profile = profiles::rgb(PROPHOTO, GAMMA_1_8);
    let [last, .., first] = &profiles::icc_segments(&profile, 200)[..] else { panic!("parts") };
    let jpeg = jpeg([128; 3]);
    for segment in [first, last] {
        assert_eq!(decoded(&fixtures::with_segment(&jpeg, 0xE2, segment)), [128; 3]);
    }
}

#[test]
fn a_jpeg_of_inks_is_read_in_the_same_way_with_a_profile() {
    let ink = plain(&[10, 200, 90, 30]);
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let jpeg = fixtures::jpeg_of(&ink, (24, 16), colour);
        let expected = decoded(&jpeg);
        for profile in [profiles::cmyk(), profiles::rgb(P3, GAMMA_2_2)] {
            assert_eq!(decoded(&jpeg_with(jpeg.clone(), &profile)), expected);
        }
    }
}

#[test]
fn code_points_of_a_png_are_used_before_a_profile() {
    let colour = COLOURS[0];
    let png = png_with(&colour, png::ColorType::Rgb, BitDepth::Eight, &profiles::rgb(ADOBE, 461));
    let with = |code_points: &[u8]| decoded(&fixtures::with_chunk(&png, *b"cICP", code_points));
    // Display P3, sRGB, HDR of BT.2100, and studio range.
    assert_close(with(&[12, 13, 0, 1]), references()[0].1[0]);
    assert_eq!(with(&[1, 13, 0, 1]), colour);
    assert_eq!(with(&[9, 16, 0, 1]), colour);
    assert_eq!(with(&[12, 13, 0, 0]), colour);
}

#[test]
fn gamma_and_chromaticities_of_a_png_are_not_applied() {
    let colour = COLOURS[0];
    let png = fixtures::png_of(&plain(&colour), SIDES, png::ColorType::Rgb, BitDepth::Eight);
    let gamma = fixtures::with_chunk(&png, *b"gAMA", &100_000_u32.to_be_bytes());
    assert_eq!(decoded(&fixtures::with_chunk(&gamma, *b"cHRM", &[0; 32])), colour);
}
