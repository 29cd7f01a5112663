use grateful_media::{ImageError, ImageFormat, ImageHeader, Purpose};
use image::{ExtendedColorType, Rgb, RgbImage};
use jpeg_encoder::ColorType;
use png::BitDepth;

use crate::fixtures::{self, BLUE, GREEN, RED, WHITE, YELLOW};
use crate::inspect::{assert_close, post, quarters};

const SIDES: (u32, u32) = (96, 64);
const COLOURS: [[u8; 3]; 4] = [RED, GREEN, BLUE, YELLOW];

#[track_caller]
fn assert_decodes_to(file: &[u8], format: ImageFormat, expected: [[u8; 3]; 4]) {
    let header = ImageHeader::read(file).unwrap();
    let image = post(file);
    assert_eq!(header.format(), format);
    assert_eq!((header.width(), header.height()), image.dimensions());
    assert_close(&quarters(&image), &expected, 14);
}

#[test]
fn a_format_is_detected_by_the_first_bytes() {
    let image = fixtures::quarters(8, 8);

    let formats = [fixtures::jpeg(&image), fixtures::png(&image), fixtures::webp(&image)]
        .map(|file| ImageFormat::detect(&file));
    let others = [&b"GIF89a"[..], b"", b"\xFF\xD8", b"RIFF\0\0\0\0WAVE", b"<svg/>"];

    assert_eq!(formats, [Some(ImageFormat::Jpeg), Some(ImageFormat::Png), Some(ImageFormat::WebP)]);
    assert_eq!(
        formats.map(|format| format.unwrap().media_type()),
        ["image/jpeg", "image/png", "image/webp"]
    );
    for other in others {
        assert_eq!(ImageFormat::detect(other), None);
        assert_eq!(ImageHeader::read(other).unwrap_err(), ImageError::UnknownFormat);
    }
}

#[test]
fn jpeg_png_and_webp_are_supported() {
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    assert_decodes_to(&fixtures::jpeg(&image), ImageFormat::Jpeg, COLOURS);
    assert_decodes_to(&fixtures::progressive_jpeg(&image), ImageFormat::Jpeg, COLOURS);
    assert_decodes_to(&fixtures::png(&image), ImageFormat::Png, COLOURS);
    assert_decodes_to(&fixtures::webp(&image), ImageFormat::WebP, COLOURS);
    assert_decodes_to(&fixtures::lossy_webp(), ImageFormat::WebP, COLOURS);
}

#[test]
fn jpegs_with_any_subsampling_and_with_restart_intervals_are_supported() {
    use jpeg_encoder::SamplingFactor::{F_2_1, F_2_2, F_4_1, R_4_4_4};
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    for sampling in [F_2_2, F_2_1, F_4_1, R_4_4_4] {
        for interval in [0, 3] {
            let file = fixtures::jpeg_with(&image, |encoder| {
                encoder.set_sampling_factor(sampling);
                encoder.set_restart_interval(interval);
            });
            assert_decodes_to(&file, ImageFormat::Jpeg, COLOURS);
        }
    }
}

#[test]
fn a_greyscale_jpeg_stays_grey() {
    let samples: Vec<u8> =
        fixtures::quarters(SIDES.0, SIDES.1).pixels().map(|pixel| pixel[1]).collect();
    let file = fixtures::jpeg_of(&samples, (96, 64), ColorType::Luma);
    assert_decodes_to(&file, ImageFormat::Jpeg, [40, 180, 60, 210].map(|grey| [grey; 3]));
}

#[test]
fn cmyk_and_ycck_are_converted_to_rgb() {
    let ink = |image: &RgbImage| -> Vec<u8> {
        image.pixels().flat_map(|Rgb([r, g, b])| [255 - r, 255 - g, 255 - b, 0]).collect()
    };
    let samples = ink(&fixtures::quarters(SIDES.0, SIDES.1));
    let black = [0, 0, 0, 255].repeat(96 * 64);
    for colour in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        assert_decodes_to(
            &fixtures::jpeg_of(&samples, (96, 64), colour),
            ImageFormat::Jpeg,
            COLOURS,
        );
        assert_decodes_to(
            &fixtures::jpeg_of(&black, (96, 64), colour),
            ImageFormat::Jpeg,
            [[0; 3]; 4],
        );
    }
}

#[test]
fn pngs_with_16_bits_are_supported() {
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    let samples: Vec<u8> = image.iter().flat_map(|&sample| [sample, 77]).collect();
    let file = fixtures::png_of(&samples, SIDES, png::ColorType::Rgb, BitDepth::Sixteen);
    assert_decodes_to(&file, ImageFormat::Png, COLOURS);
}

#[test]
fn palettes_are_supported_with_transparent_entries() {
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    let index =
        |pixel: &Rgb<u8>| COLOURS.iter().position(|colour| *colour == pixel.0).unwrap() as u8;
    let samples: Vec<u8> = image.pixels().map(index).collect();
    let packed: Vec<u8> = samples
        .chunks(4)
        .map(|indexes| indexes.iter().fold(0, |byte, index| byte << 2 | index))
        .collect();
    for (samples, depth) in [(samples, BitDepth::Eight), (packed, BitDepth::Two)] {
        let file = |transparent: &'static [u8]| {
            fixtures::png_with(&samples, SIDES, |encoder| {
                encoder.set_color(png::ColorType::Indexed);
                encoder.set_depth(depth);
                encoder.set_palette(COLOURS.concat());
                if !transparent.is_empty() {
                    encoder.set_trns(transparent);
                }
            })
        };
        assert_decodes_to(&file(&[]), ImageFormat::Png, COLOURS);
        assert_decodes_to(&file(&[255, 0]), ImageFormat::Png, [RED, WHITE, BLUE, YELLOW]);
    }
}

#[test]
fn greyscale_pngs_of_different_depths_are_supported() {
    let bits: Vec<u8> = [[0xFF; 6], [0; 6]].concat().repeat(64);
    let file = fixtures::png_of(&bits, SIDES, png::ColorType::Grayscale, BitDepth::One);
    assert_decodes_to(&file, ImageFormat::Png, [WHITE, [0; 3], WHITE, [0; 3]]);
    let file = fixtures::png_of(&[90; 96 * 64], SIDES, png::ColorType::Grayscale, BitDepth::Eight);
    assert_decodes_to(&file, ImageFormat::Png, [[90; 3]; 4]);
}

#[test]
fn transparent_pixels_become_white() {
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    let alpha = |y: u32| if y < 32 { 255 } else { 0 };
    let rgba: Vec<u8> = image
        .enumerate_pixels()
        .flat_map(|(_, y, Rgb([r, g, b]))| [*r, *g, *b, alpha(y)])
        .collect();
    let grey: Vec<u8> = (0..96 * 64).flat_map(|at| [100, alpha(at / 96)]).collect();
    let expected = [RED, GREEN, WHITE, WHITE];

    let png = fixtures::png_of(&rgba, SIDES, png::ColorType::Rgba, BitDepth::Eight);
    let grey = fixtures::png_of(&grey, SIDES, png::ColorType::GrayscaleAlpha, BitDepth::Eight);

    assert_decodes_to(&png, ImageFormat::Png, expected);
    assert_decodes_to(&grey, ImageFormat::Png, [[100; 3], [100; 3], WHITE, WHITE]);
    assert_decodes_to(
        &fixtures::webp_of(&rgba, SIDES, ExtendedColorType::Rgba8),
        ImageFormat::WebP,
        expected,
    );
    assert_decodes_to(&fixtures::lossy_webp_with_alpha(), ImageFormat::WebP, expected);
}

#[test]
fn half_transparent_pixels_are_blended_with_white() {
    let rgba = [100, 0, 200, 128].repeat(96 * 64);
    let file = fixtures::png_of(&rgba, SIDES, png::ColorType::Rgba, BitDepth::Eight);
    assert_decodes_to(&file, ImageFormat::Png, [[177, 127, 227]; 4]);
}

#[test]
fn the_first_frame_of_an_animation_is_decoded() {
    let image = fixtures::quarters(SIDES.0, SIDES.1);
    assert_decodes_to(&fixtures::animated_png(&image, 3), ImageFormat::Png, COLOURS);
    assert_decodes_to(&fixtures::animated_webp(&image, 3), ImageFormat::WebP, COLOURS);
}

#[test]
fn a_frame_smaller_than_the_canvas_is_placed_on_white() {
    let corner = fixtures::webp(&RgbImage::from_pixel(48, 32, Rgb(RED)));
    let frame = fixtures::webp_frame(
        48,
        32,
        &fixtures::riff_chunk(*b"VP8L", fixtures::encoded_frame(&corner)),
    );
    for flags in [0x02, 0x12] {
        let canvas = fixtures::canvas(flags, 96, 64);
        let file = fixtures::riff(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)]);
        assert_decodes_to(&file, ImageFormat::WebP, [RED, WHITE, WHITE, WHITE]);
    }
}

#[test]
fn an_interlaced_png_is_supported() {
    // All seven passes in one grey. Each row starts with its filter type.
    let rows = [(1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4)];
    let raw: Vec<u8> = rows
        .iter()
        .flat_map(|&(across, down)| [vec![0], vec![90; across]].concat().repeat(down))
        .collect();
    let length = u16::try_from(raw.len()).unwrap();
    // One uncompressed block, and a checksum that the decoder does not verify.
    let zlib = [&[0x78, 1, 1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), &raw, &[0; 4]]
        .concat();
    let header = [0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 1];
    let file = [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        fixtures::chunk(*b"IHDR", &header),
        fixtures::chunk(*b"IDAT", &zlib),
        fixtures::chunk(*b"IEND", &[]),
    ];
    assert_decodes_to(&file.concat(), ImageFormat::Png, [[90; 3]; 4]);
}

#[test]
fn the_error_names_a_rare_jpeg_feature() {
    let jpeg = fixtures::jpeg(&fixtures::quarters(16, 16));
    let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = jpeg.clone();
        file[frame + at] = byte;
        if at == 1 {
            // Lossless coding has no quantization tables.
            for table in [12, 15, 18] {
                file[frame + table] = 0;
            }
        } else {
            file[frame + 1] = 0xC1;
        }
        ImageHeader::read(&file).unwrap_err()
    };

    let errors = [with(1, 0xC3), with(1, 0xC9), with(1, 0xC5), with(4, 12)];

    let features =
        ["lossless JPEG", "arithmetic coding", "hierarchical JPEG", "JPEG of more than 8 bits"];
    assert_eq!(errors, features.map(|feature| ImageError::Unsupported { feature }));
}

#[test]
fn an_image_of_one_pixel_is_supported() {
    for file in [
        fixtures::jpeg(&RgbImage::from_pixel(1, 1, Rgb(RED))),
        fixtures::png(&RgbImage::from_pixel(1, 1, Rgb(RED))),
        fixtures::webp(&RgbImage::from_pixel(1, 1, Rgb(RED))),
    ] {
        let sizes = grateful_media::DecodedImage::decode(&file, Purpose::Profile)
            .unwrap()
            .encode_profile_sizes(None);
        let large = crate::inspect::pixels(&sizes.large);
        assert_eq!(large.dimensions(), (512, 512));
        assert_close(&quarters(&large), &[RED; 4], 14);
    }
}
