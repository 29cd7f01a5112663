use grateful_media::{DecodedImage, Focus, ImageHeader, Purpose};

use crate::fixtures::{self, BLUE as B, GREEN as G, RED as R, YELLOW as Y};
use crate::inspect::{assert_close, pixels, post, quarters};

/// The rotated quarters for each EXIF orientation.
const ROTATED: [[[u8; 3]; 4]; 8] = [
    [R, G, B, Y],
    [G, R, Y, B],
    [Y, B, G, R],
    [B, Y, R, G],
    [R, B, G, Y],
    [B, R, Y, G],
    [Y, G, B, R],
    [G, Y, R, B],
];

/// The same image in all formats, with an EXIF orientation.
fn files(orientation: u8) -> [Vec<u8>; 3] {
    let image = fixtures::quarters(96, 64);
    let exif = fixtures::exif(orientation);
    [
        fixtures::jpeg_with_exif(&fixtures::jpeg(&image), &exif),
        fixtures::png_with_exif(&fixtures::png(&image), &exif),
        fixtures::webp_with_exif(&image, &exif),
    ]
}

#[test]
fn images_are_rotated_by_their_exif_orientation() {
    for (orientation, expected) in (1..).zip(ROTATED) {
        let sides = if orientation < 5 { (96, 64) } else { (64, 96) };
        for file in files(orientation) {
            let header = ImageHeader::read(&file).unwrap();
            let image = post(&file);
            assert_eq!((header.width(), header.height()), sides);
            assert_eq!(image.dimensions(), sides);
            assert_close(&quarters(&image), &expected, 14);
        }
    }
}

#[test]
fn a_focus_refers_to_the_rotated_image() {
    for (orientation, [top_left, top_right, bottom_left, bottom_right]) in (1..).zip(ROTATED) {
        for file in files(orientation) {
            let image = DecodedImage::decode(&file, Purpose::Profile).unwrap();
            for ((x, y), expected) in [
                ((0.0, 0.0), top_left),
                ((1.0, 0.0), top_right),
                ((0.0, 1.0), bottom_left),
                ((1.0, 1.0), bottom_right),
            ] {
                let focus = Focus::new(x, y);
                let large = pixels(&image.encode_profile_sizes(focus).large);
                let [x, y] = [x, y].map(|fraction| if fraction == 0.0 { 8 } else { 503 });
                assert_close(&[large.get_pixel(x, y).0], &[expected], 16);
                // The square moves along the longer side only, by a third of 96 pixels.
                let square = image.select_square(focus);
                assert_eq!(
                    square.x + square.y,
                    if x + y > 500 && square.x + square.y > 0 { 32 } else { 0 }
                );
            }
        }
    }
}

#[test]
fn an_invalid_orientation_is_ignored() {
    for orientation in [0, 9, 255] {
        for file in files(orientation) {
            assert_close(&quarters(&post(&file)), &ROTATED[0], 14);
        }
    }
}

#[test]
fn a_webp_whose_exif_has_the_jpeg_prefix_is_rotated() {
    let exif = [b"Exif\0\0", &fixtures::exif(6)[..]].concat();
    let file = fixtures::webp_with_exif(&fixtures::quarters(96, 64), &exif);
    assert_close(&quarters(&post(&file)), &ROTATED[5], 14);
}
