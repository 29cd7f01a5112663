use grateful_media::{Format, Header, Purpose, Refusal};
use image::{ExtendedColorType, Rgb, RgbImage};
use jpeg_encoder::ColorType;
use png::BitDepth;

use crate::made::{self, BLUE, GREEN, RED, WHITE, YELLOW};
use crate::seen::{assert_close, post, quarters};

const SIDES: (u32, u32) = (96, 64);
const COLOURS: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

#[track_caller]
fn assert_seen(file: &[u8], format: Format, expected: [[u8; 3]; 4]) {
    let header = Header::read(file).unwrap();
    let picture = post(file);
    assert_eq!(header.format(), format);
    assert_eq!((header.width(), header.height()), picture.dimensions());
    assert_close(&quarters(&picture), &expected, 14);
}

#[test]
fn a_format_is_known_by_how_the_file_begins() {
    let picture = made::quarters(8, 8);

    let formats =
        [made::jpeg(&picture), made::png(&picture), made::webp(&picture)].map(|it| Format::of(&it));
    let others = [&b"GIF89a"[..], b"", b"\xFF\xD8", b"RIFF\0\0\0\0WAVE", b"<svg/>"];

    assert_eq!(formats, [Some(Format::Jpeg), Some(Format::Png), Some(Format::WebP)]);
    assert_eq!(
        formats.map(|it| it.unwrap().media_type()),
        ["image/jpeg", "image/png", "image/webp"]
    );
    for other in others {
        assert_eq!(Format::of(other), None);
        assert_eq!(Header::read(other).unwrap_err(), Refusal::UnknownFormat);
    }
}

#[test]
fn jpeg_png_and_webp_are_taken() {
    let picture = made::quarters(SIDES.0, SIDES.1);
    assert_seen(&made::jpeg(&picture), Format::Jpeg, COLOURS);
    assert_seen(&made::progressive_jpeg(&picture), Format::Jpeg, COLOURS);
    assert_seen(&made::png(&picture), Format::Png, COLOURS);
    assert_seen(&made::webp(&picture), Format::WebP, COLOURS);
    assert_seen(&made::lossy_webp(), Format::WebP, COLOURS);
}

#[test]
fn jpegs_of_any_subsampling_and_with_restarts_are_taken() {
    use jpeg_encoder::SamplingFactor::{F_2_1, F_2_2, F_4_1, R_4_4_4};
    let picture = made::quarters(SIDES.0, SIDES.1);
    for sampling in [F_2_2, F_2_1, F_4_1, R_4_4_4] {
        for interval in [0, 3] {
            let file = made::jpeg_with(&picture, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_restart_interval(interval);
            });
            assert_seen(&file, Format::Jpeg, COLOURS);
        }
    }
}

#[test]
fn a_grey_jpeg_is_grey() {
    let samples: Vec<u8> = made::quarters(SIDES.0, SIDES.1).pixels().map(|it| it[1]).collect();
    let file = made::jpeg_of(&samples, (96, 64), ColorType::Luma);
    assert_seen(&file, Format::Jpeg, [40, 180, 60, 210].map(|grey| [grey; 3]));
}

#[test]
fn inks_become_colours() {
    let ink = |picture: &RgbImage| -> Vec<u8> {
        picture.pixels().flat_map(|Rgb([r, g, b])| [255 - r, 255 - g, 255 - b, 0]).collect()
    };
    let samples = ink(&made::quarters(SIDES.0, SIDES.1));
    let black = [0, 0, 0, 255].repeat(96 * 64);
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        assert_seen(&made::jpeg_of(&samples, (96, 64), colour), Format::Jpeg, COLOURS);
        assert_seen(&made::jpeg_of(&black, (96, 64), colour), Format::Jpeg, [[0; 3]; 4]);
    }
}

#[test]
fn pngs_of_sixteen_bits_are_taken() {
    let picture = made::quarters(SIDES.0, SIDES.1);
    let samples: Vec<u8> = picture.iter().flat_map(|&sample| [sample, 77]).collect();
    let file = made::png_of(&samples, SIDES, png::ColorType::Rgb, BitDepth::Sixteen);
    assert_seen(&file, Format::Png, COLOURS);
}

#[test]
fn palettes_are_taken_with_what_is_transparent_in_them() {
    let picture = made::quarters(SIDES.0, SIDES.1);
    let index = |pixel: &Rgb<u8>| COLOURS.iter().position(|it| *it == pixel.0).unwrap() as u8;
    let samples: Vec<u8> = picture.pixels().map(index).collect();
    let packed: Vec<u8> =
        samples.chunks(4).map(|it| it.iter().fold(0, |sum, next| sum << 2 | next)).collect();
    for (samples, depth) in [(samples, BitDepth::Eight), (packed, BitDepth::Two)] {
        let file = |transparent: &'static [u8]| {
            made::png_with(&samples, SIDES, |encoder| {
                encoder.set_color(png::ColorType::Indexed);
                encoder.set_depth(depth);
                encoder.set_palette(COLOURS.concat());
                if !transparent.is_empty() {
                    encoder.set_trns(transparent);
                }
            })
        };
        assert_seen(&file(&[]), Format::Png, COLOURS);
        assert_seen(&file(&[255, 0]), Format::Png, [RED, WHITE, BLUE, YELLOW]);
    }
}

#[test]
fn grey_pngs_of_all_depths_are_taken() {
    let bits: Vec<u8> = [[0xFF; 6], [0; 6]].concat().repeat(64);
    let file = made::png_of(&bits, SIDES, png::ColorType::Grayscale, BitDepth::One);
    assert_seen(&file, Format::Png, [WHITE, [0; 3], WHITE, [0; 3]]);
    let file = made::png_of(&[90; 96 * 64], SIDES, png::ColorType::Grayscale, BitDepth::Eight);
    assert_seen(&file, Format::Png, [[90; 3]; 4]);
}

#[test]
fn what_is_transparent_is_white() {
    let picture = made::quarters(SIDES.0, SIDES.1);
    let alpha = |y: u32| if y < 32 { 255 } else { 0 };
    let rgba: Vec<u8> = picture
        .enumerate_pixels()
        .flat_map(|(_, y, Rgb([r, g, b]))| [*r, *g, *b, alpha(y)])
        .collect();
    let grey: Vec<u8> = (0..96 * 64).flat_map(|at| [100, alpha(at / 96)]).collect();
    let expected = [RED, GREEN, WHITE, WHITE];

    let png = made::png_of(&rgba, SIDES, png::ColorType::Rgba, BitDepth::Eight);
    let grey = made::png_of(&grey, SIDES, png::ColorType::GrayscaleAlpha, BitDepth::Eight);

    assert_seen(&png, Format::Png, expected);
    assert_seen(&grey, Format::Png, [[100; 3], [100; 3], WHITE, WHITE]);
    assert_seen(&made::webp_of(&rgba, SIDES, ExtendedColorType::Rgba8), Format::WebP, expected);
    assert_seen(&made::lossy_webp_with_alpha(), Format::WebP, expected);
}

#[test]
fn half_transparent_lets_half_of_the_white_through() {
    let rgba = [100, 0, 200, 128].repeat(96 * 64);
    let file = made::png_of(&rgba, SIDES, png::ColorType::Rgba, BitDepth::Eight);
    assert_seen(&file, Format::Png, [[177, 127, 227]; 4]);
}

#[test]
fn of_an_animation_the_first_picture_is_taken() {
    let picture = made::quarters(SIDES.0, SIDES.1);
    assert_seen(&made::animated_png(&picture, 3), Format::Png, COLOURS);
    assert_seen(&made::animated_webp(&picture, 3), Format::WebP, COLOURS);
}

#[test]
fn a_frame_that_leaves_some_of_the_canvas_stands_on_white() {
    let corner = made::webp(&RgbImage::from_pixel(48, 32, Rgb(RED)));
    let frame = made::webp_frame(48, 32, &made::part(*b"VP8L", made::coded(&corner)));
    for flags in [0x02, 0x12] {
        let canvas = made::canvas(flags, 96, 64);
        let file = made::riff(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)]);
        assert_seen(&file, Format::WebP, [RED, WHITE, WHITE, WHITE]);
    }
}

#[test]
fn an_interlaced_png_is_taken() {
    // All seven passes of one grey, of which each row begins with its filter.
    let rows = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)];
    let raw: Vec<u8> = rows
        .iter()
        .flat_map(|&(across, down)| [vec![0], vec![90; across]].concat().repeat(down))
        .collect();
    let length = u16::try_from(raw.len()).unwrap();
    // One block that is not compressed, and a sum that is not looked at.
    let zlib = [&[0x78, 1, 1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), &raw, &[0; 4]]
        .concat();
    let header = [0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 1];
    let file = [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        made::chunk(*b"IHDR", &header),
        made::chunk(*b"IDAT", &zlib),
        made::chunk(*b"IEND", &[]),
    ];
    assert_seen(&file.concat(), Format::Png, [[90; 3]; 4]);
}

#[test]
fn what_jpegs_hardly_ever_are_is_named() {
    let jpeg = made::jpeg(&made::quarters(16, 16));
    let frame = jpeg.windows(2).position(|it| it == [0xFF, 0xC0]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = jpeg.clone();
        file[frame + at] = byte;
        if at == 1 {
            // Lossless coding has no tables to scale by.
            for table in [12, 15, 18] {
                file[frame + table] = 0;
            }
        } else {
            file[frame + 1] = 0xC1;
        }
        Header::read(&file).unwrap_err()
    };

    let refusals = [with(1, 0xC3), with(1, 0xC9), with(1, 0xC5), with(4, 12)];

    let features =
        ["lossless JPEG", "arithmetic coding", "hierarchical JPEG", "JPEG of more than 8 bits"];
    assert_eq!(refusals, features.map(|feature| Refusal::Unsupported { feature }));
}

#[test]
fn a_picture_of_one_pixel_is_taken() {
    for file in [
        made::jpeg(&RgbImage::from_pixel(1, 1, Rgb(RED))),
        made::png(&RgbImage::from_pixel(1, 1, Rgb(RED))),
        made::webp(&RgbImage::from_pixel(1, 1, Rgb(RED))),
    ] {
        let sizes = grateful_media::Picture::decode(&file, Purpose::Profile).unwrap().profile(None);
        let large = crate::seen::pixels(&sizes.large);
        assert_eq!(large.dimensions(), (512, 512));
        assert_close(&quarters(&large), &[RED; 4], 14);
    }
}
