//! Compares the mean colours of an 8 by 8 grid with recorded values, which were checked by eye. A library that scales or
//! encodes differently changes them a little; a shifted, rotated or differently cropped image changes them a lot.

use grateful_media::{DecodedImage, Focus, Purpose};
use image::{Rgb, RgbImage};

use crate::fixtures;
use crate::inspect::{assert_close, grid, pixels};

const TOLERANCE: u8 = 6;

/// From the largest size to the smallest, in which a grid cell has 64 pixels and 16 chroma samples.
const TOLERANCES: [u8; 4] = [4, 6, 8, 18];

fn profile(file: &[u8], focus: Option<Focus>) -> [RgbImage; 4] {
    let sizes = DecodedImage::decode(file, Purpose::Profile).unwrap().encode_profile_sizes(focus);
    [sizes.large, sizes.medium, sizes.small, sizes.thumbnail].map(|file| pixels(&file))
}

fn colours(text: &str) -> Vec<[u8; 3]> {
    let colour = |text: &str| u32::from_str_radix(text, 16).unwrap().to_be_bytes();
    text.split_whitespace().map(colour).map(|[_, r, g, b]| [r, g, b]).collect()
}

/// The rightmost square of a scene of 1600 by 1000 pixels.
const RIGHT: &str = "
    532f81 402f9d 612f87 692f88 612f9a 832f82 7c2f93 882f91
    413f93 5c3f81 4d3f9b 6e458b 774187 6a3f9c 8d3f82 883f91
    454f8f 494f95 ab7f84 e9a984 dfa386 8e5a86 724f9e 974f82
    515f83 505f8d 83778d c99884 b7908c 81638b 8c5f83 7a5f9f
    346f9f 596f85 5d6e8b 596f99 7a6f82 706f95 816f8f 986f81
    527e81 407f9c 617f87 687e89 617f9a 837f82 7c7f93 887f91
    418f93 5c8e81 4c8e9a 698f89 748e87 698f9c 8d8f82 888e91
    449e8f 499f95 669e81 589e99 709f8b 809e84 729f9e 979f82";

/// The whole scene.
const ALL: &str = "
    112f95 352f82 302f96 4b2f8b 5a2f8c 612f95 852f82 802f96
    253f82 213f96 3c3f8b 4a3f8d 523f95 7a4483 703f96 8b3f8b
    114f96 2b4f8b 3b4f8c 414f95 9f7884 e7a884 8d5e8d 8a4f8c
    1c5f8b 2b5f8c 325f95 545f82 7d758e c1968a 876689 815f95
    1b6f8c 226e95 456f82 416f96 5b6f8b 6a6f8c 716f95 946f82
    127e95 347f82 317e96 4b7e8b 5a7f8c 617e95 847f82 807f96
    258e82 218f96 3b8e8b 4b8f8c 518e95 758f82 718e96 8b8e8b
    119e96 2c9e8b 3a9f8d 419e95 649f82 609e96 7b9e8b 8a9f8d";

#[test]
fn all_sizes_and_formats_show_the_requested_square() {
    let scene = fixtures::scene(1600, 1000);
    for file in [
        fixtures::jpeg(&scene),
        fixtures::progressive_jpeg(&scene),
        fixtures::png(&scene),
        fixtures::webp(&scene),
    ] {
        for (image, tolerance) in profile(&file, Focus::new(1.0, 0.5)).iter().zip(TOLERANCES) {
            assert_close(&grid(image), &colours(RIGHT), tolerance);
        }
    }
}

#[test]
fn decoding_at_a_reduced_scale_gives_the_same_image() {
    // Decoded at 1/8, 1/4, 1/2 and the full size.
    for scale in [8, 4, 2, 1] {
        let file = fixtures::jpeg(&fixtures::scene(512 * scale + 8, 520 * scale));
        let reference = fixtures::png(&fixtures::scene(512 * scale + 8, 520 * scale));
        let middle = Focus::new(0.5, 0.5);
        for (image, reference) in profile(&file, middle).iter().zip(profile(&reference, middle)) {
            assert_close(&grid(image), &grid(&reference), TOLERANCE);
        }
    }
}

#[test]
fn post_images_show_the_whole_image() {
    for sides in [(1600, 1000), (4000, 2500)] {
        let file = fixtures::jpeg(&fixtures::scene(sides.0, sides.1));
        let post = DecodedImage::decode(&file, Purpose::Post).unwrap().encode_post_image();
        assert_close(&grid(&pixels(&post.jpeg)), &colours(ALL), TOLERANCE);
    }
}

#[test]
fn a_small_image_is_enlarged_smoothly() {
    let small = RgbImage::from_fn(4, 4, |x, y| Rgb([(x * 60) as u8, (y * 60) as u8, 100]));
    let [large, ..] = profile(&fixtures::png(&small), None);
    for x in 0..511 {
        let [one, next] = [x, x + 1].map(|x| large.get_pixel(x, 200)[0]);
        assert!(one.abs_diff(next) < 8, "a step at {x}");
    }
    assert_close(
        &[large.get_pixel(1, 1).0, large.get_pixel(510, 510).0],
        &[[0, 0, 100], [180, 180, 100]],
        12,
    );
}
