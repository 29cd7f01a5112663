use grateful_media::{DecodedImage, Focus, Purpose, Square};
use image::{Rgb, RgbImage};
use proptest::prelude::*;

use crate::fixtures;

/// The selected square of an image that is plain except for a chequered region.
fn square_around_chequers(width: u32, height: u32, region: std::ops::Range<u32>) -> Square {
    let image = RgbImage::from_fn(width, height, |x, y| {
        let is_chequered = region.contains(&x.max(y))
            && (70..130).contains(&x.min(y))
            && (x / 16 + y / 16) % 2 == 0;
        Rgb(if is_chequered { [234, 171, 132] } else { [60, 70, 80] })
    });
    let file = fixtures::png(&image);
    DecodedImage::decode(&file, Purpose::Profile).unwrap().select_square(None)
}

#[test]
fn without_a_focus_the_square_contains_the_salient_region() {
    let left = square_around_chequers(600, 200, 20..120);
    let right = square_around_chequers(600, 200, 480..580);
    let bottom = square_around_chequers(200, 600, 480..580);

    assert!(left.x <= 40, "{left:?}");
    assert!((360..=400).contains(&right.x), "{right:?}");
    assert!((360..=400).contains(&bottom.y), "{bottom:?}");
    assert_eq!([left.side, right.side, bottom.side], [200; 3]);
}

/// Colours of walls, wood, sand, skin, and others.
const BACKGROUNDS: [[u8; 3]; 12] = [
    [222, 184, 150],
    [255, 219, 172],
    [198, 134, 66],
    [234, 171, 132],
    [141, 85, 54],
    [210, 180, 140],
    [200, 40, 40],
    [40, 60, 200],
    [40, 180, 60],
    [128, 128, 128],
    [255, 255, 255],
    [0, 0, 0],
];

const DISCS: [[u8; 3]; 6] =
    [[40, 60, 200], [40, 150, 80], [120, 120, 120], [250, 250, 250], [20, 20, 20], [234, 171, 132]];

/// The selected square of an image with a disc, on a background that `shade` makes uneven.
fn square_around_disc(
    (width, height): (u32, u32),
    centre: (u32, u32),
    [background, disc]: [[u8; 3]; 2],
    shade: impl Fn(u32, u32) -> u32,
) -> Square {
    let radius = width.min(height) * 3 / 10;
    let image = RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (x.abs_diff(centre.0), y.abs_diff(centre.1));
        if dx * dx + dy * dy <= radius * radius {
            return Rgb(disc);
        }
        Rgb(background.map(|value| u8::try_from(u32::from(value) * shade(x, y) / 100).unwrap()))
    });
    let file = fixtures::png(&image);
    DecodedImage::decode(&file, Purpose::Profile).unwrap().select_square(None)
}

fn differ(colours: [[u8; 3]; 2]) -> bool {
    let distance = |(one, other): (&u8, &u8)| u32::from(one.abs_diff(*other));
    colours[0].iter().zip(&colours[1]).map(distance).sum::<u32>() > 60
}

#[test]
fn a_disc_in_the_middle_stays_in_the_middle_on_any_background() {
    for background in BACKGROUNDS {
        for disc in DISCS.into_iter().filter(|disc| differ([background, *disc])) {
            for sides @ (width, height) in [(300, 200), (200, 300), (450, 150), (151, 250)] {
                let colours = [background, disc];
                let square =
                    square_around_disc(sides, (width / 2, height / 2), colours, |_, _| 100);
                let middle = width.abs_diff(height) / 2;
                let deviation = square.x.max(square.y).abs_diff(middle);
                assert!(deviation <= square.side / 40, "{square:?} for {colours:?} in {sides:?}");
            }
        }
    }
}

#[test]
fn a_disc_on_an_uneven_background_is_not_cut() {
    let shades: [fn(u32, u32) -> u32; 3] = [
        |x, _| 70 + x / 10,
        |_, y| 100 - y / 8,
        |x, y| 85 + (x * 31 + y * 17).wrapping_mul(0x9E37_79B1) % 15,
    ];
    let cases = || shades.into_iter().flat_map(|shade| [60, 150, 240].map(|x| (shade, x)));
    for background in BACKGROUNDS {
        for disc in DISCS.into_iter().filter(|disc| differ([background, *disc])) {
            for (shade, x) in cases() {
                let square = square_around_disc((300, 200), (x, 100), [background, disc], shade);
                // The disc has a radius of 60 pixels, and may touch the edge of the image.
                let is_inside = square.x <= x - 60 && square.x + square.side >= x + 60;
                assert!(is_inside, "{square:?} for {background:?}, {disc:?} at {x}");
            }
        }
    }
}

#[test]
fn a_focus_overrides_the_salient_region() {
    let image =
        RgbImage::from_fn(600, 200, |x, _| Rgb(if x > 400 { [234, 171, 132] } else { [9; 3] }));
    let image = DecodedImage::decode(&fixtures::png(&image), Purpose::Profile).unwrap();
    assert_eq!(image.select_square(Focus::new(0.0, 0.5)), Square { x: 0, y: 0, side: 200 });
}

#[test]
fn a_focus_must_be_inside_the_image() {
    for (x, y) in [(-0.1, 0.5), (0.5, 1.1), (f64::NAN, 0.5), (0.5, f64::INFINITY)] {
        assert_eq!(Focus::new(x, y), None);
    }
    let focus = Focus::new(0.25, 1.0).unwrap();
    assert!((focus.x() - 0.25).abs() < f64::EPSILON && (focus.y() - 1.0).abs() < f64::EPSILON);
}

fn is_inside(square: Square, width: u32, height: u32) -> bool {
    square.x + square.side <= width && square.y + square.side <= height
}

proptest! {
    #[test]
    fn the_square_is_the_largest_possible_and_as_close_to_the_focus_as_the_edges_allow(
        width in 1_u32..12_000,
        height in 1_u32..12_000,
        x in 0.0..=1.0,
        y in 0.0..=1.0,
    ) {
        let square = Focus::new(x, y).unwrap().square(width, height);

        prop_assert!(is_inside(square, width, height));
        prop_assert_eq!(square.side, width.min(height));
        let deviation = |start: u32, length: u32, fraction: f64| {
            let ideal = (f64::from(length) * fraction - f64::from(square.side) / 2.0)
                .clamp(0.0, f64::from(length - square.side));
            (f64::from(start) - ideal).abs()
        };
        prop_assert!(deviation(square.x, width, x) <= 0.5);
        prop_assert!(deviation(square.y, height, y) <= 0.5);
    }

    #[test]
    fn a_focus_in_a_corner_selects_that_corner(
        width in 1_u32..12_000,
        height in 1_u32..12_000,
        right: bool,
        bottom: bool,
    ) {
        let corner = Focus::new(f64::from(u8::from(right)), f64::from(u8::from(bottom))).unwrap();
        let Square { x, y, side } = corner.square(width, height);
        prop_assert_eq!(x, if right { width - side } else { 0 });
        prop_assert_eq!(y, if bottom { height - side } else { 0 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_selected_square_is_the_largest_possible(
        width in 1_u32..260,
        height in 1_u32..260,
        orientation in 1_u8..=8,
        seed: u32,
    ) {
        let image = RgbImage::from_fn(width, height, |x, y| {
            let hash = (x ^ seed).wrapping_mul(0x9E37_79B1) ^ (y / 3).wrapping_mul(seed | 1);
            let [red, green, blue, _] = hash.to_be_bytes();
            Rgb([red, green, blue])
        });
        let file = fixtures::png_with_exif(&fixtures::png(&image), &fixtures::exif(orientation));
        let image = DecodedImage::decode(&file, Purpose::Profile).unwrap();

        let square = image.select_square(None);

        prop_assert!(is_inside(square, image.width(), image.height()));
        prop_assert_eq!(square.side, width.min(height));
    }
}
