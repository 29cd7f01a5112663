use std::fmt::Debug;

use grateful_media::{DecodedImage, ImageError, ImageHeader, Purpose};
use image::RgbImage;
use jpeg_encoder::ColorType;

use crate::inspect::{assert_close, post, quarters};
use crate::{fixtures, profiles};

fn decode(file: &[u8]) -> Result<DecodedImage, ImageError> {
    DecodedImage::decode(file, Purpose::Profile)
}

/// A JPEG whose header declares these dimensions.
fn jpeg_declaring(width: u16, height: u16) -> Vec<u8> {
    let mut file = fixtures::jpeg(&fixtures::quarters(16, 16));
    let frame = file.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// A PNG of 42 kB whose header declares these dimensions.
fn png_declaring(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let parts = [fixtures::chunk(*b"IHDR", &header), fixtures::chunk(*b"IDAT", &vec![0; 42_000])];
    [b"\x89PNG\r\n\x1A\n".to_vec(), parts.concat(), fixtures::chunk(*b"IEND", &[])].concat()
}

fn webp_declaring(width: u32, height: u32) -> Vec<u8> {
    let webp = fixtures::webp(&fixtures::quarters(16, 16));
    fixtures::riff(&[
        (b"VP8X", &fixtures::canvas(0, width, height)),
        (b"VP8L", fixtures::encoded_frame(&webp)),
    ])
}

#[test]
fn images_that_declare_too_large_dimensions_are_rejected() {
    let too_long = ImageError::SideTooLong { width: 12_001, height: 1 };
    let huge = ImageError::SideTooLong { width: 30_000, height: 30_000 };
    let too_many = ImageError::TooManyPixels { width: 8_000, height: 6_251 };

    for (file, error) in [
        (png_declaring(30_000, 30_000), huge),
        (jpeg_declaring(30_000, 30_000), huge),
        (png_declaring(12_001, 1), too_long),
        (jpeg_declaring(12_001, 1), too_long),
        (webp_declaring(12_001, 1), too_long),
        (png_declaring(8_000, 6_251), too_many),
        (jpeg_declaring(8_000, 6_251), too_many),
        (webp_declaring(8_000, 6_251), too_many),
    ] {
        assert_eq!(ImageHeader::read(&file).unwrap_err(), error);
        assert_eq!(decode(&file).unwrap_err(), error);
    }
    assert_eq!(ImageHeader::read(&png_declaring(8_000, 6_250)).unwrap().width(), 8_000);
}

#[test]
fn files_that_are_too_large_are_rejected() {
    let mut file = fixtures::jpeg(&fixtures::quarters(16, 16));
    file.resize(5_242_880, 0);
    assert!(decode(&file).is_ok());
    file.push(0);
    assert_eq!(decode(&file).unwrap_err(), ImageError::TooManyBytes { bytes: 5_242_881 });
}

#[test]
fn images_without_pixels_are_rejected() {
    let defined_later =
        ImageError::Unsupported { feature: "a height that is defined after the pixels" };
    assert_eq!(decode(&jpeg_declaring(0, 16)).unwrap_err(), ImageError::Corrupt);
    assert_eq!(decode(&jpeg_declaring(16, 0)).unwrap_err(), defined_later);
    assert_eq!(decode(&png_declaring(0, 16)).unwrap_err(), ImageError::Corrupt);
    assert_eq!(decode(&png_declaring(16, 0)).unwrap_err(), ImageError::Corrupt);
}

/// One small file of each kind.
fn samples() -> Vec<Vec<u8>> {
    let image = fixtures::quarters(40, 24);
    let ink = [10, 200, 90, 30].repeat(40 * 24);
    vec![
        fixtures::jpeg(&image),
        fixtures::progressive_jpeg(&image),
        fixtures::jpeg_with(&image, |encoder| encoder.set_restart_interval(2)),
        fixtures::jpeg_of(&ink, (40, 24), ColorType::CmykAsYcck),
        fixtures::png(&image),
        fixtures::animated_png(&image, 3),
        fixtures::webp(&image),
        fixtures::animated_webp(&image, 3),
        fixtures::lossy_webp(),
        fixtures::lossy_webp_with_alpha(),
    ]
}

#[test]
fn a_truncated_file_is_rejected_unless_all_pixels_are_there() {
    for file in samples() {
        let whole = quarters(&post(&file));
        for length in 0..file.len() {
            // Data after the pixels may be missing: other frames, and the end chunk of a PNG.
            if decode(&file[..length]).is_ok() {
                assert_close(&quarters(&post(&file[..length])), &whole, 0);
                assert!(length > file.len() / 4, "{length} of {}", file.len());
            }
        }
    }
    let jpeg = fixtures::jpeg(&fixtures::scene(300, 300));
    for length in (0..jpeg.len()).step_by(7) {
        let error = decode(&jpeg[..length]).unwrap_err();
        assert!(matches!(error, ImageError::Corrupt | ImageError::UnknownFormat), "{error}");
    }
}

#[test]
fn data_after_the_image_does_not_change_the_output() {
    let script = b"<script>alert(1)</script>PK\x03\x04%PDF-1.4";
    for file in samples() {
        let polyglot = [&file[..], script].concat();
        let jpeg = DecodedImage::decode(&polyglot, Purpose::Post).unwrap().encode_post_image().jpeg;
        assert_eq!(
            jpeg,
            DecodedImage::decode(&file, Purpose::Post).unwrap().encode_post_image().jpeg
        );
        assert_eq!(decode(&[script, &file[..]].concat()).unwrap_err(), ImageError::UnknownFormat);
    }
}

#[test]
fn only_the_first_of_ten_thousand_frames_is_decoded() {
    let image = fixtures::quarters(40, 24);
    for file in [fixtures::animated_png(&image, 10_000), fixtures::animated_webp(&image, 10_000)] {
        let still = post(&fixtures::png(&image));
        assert_close(&quarters(&post(&file)), &quarters(&still), 2);
    }
}

#[test]
fn random_bytes_after_a_valid_signature_are_rejected() {
    let mut random = Random(7);
    for signature in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1A\n", b"RIFF\xFF\xFF\0\0WEBPVP8 "] {
        for _ in 0..200 {
            let noise: Vec<u8> = (0..2_000).map(|_| random.byte()).collect();
            assert!(decode(&[signature, &noise].concat()).is_err());
        }
    }
}

#[test]
fn exif_directories_that_loop_or_point_outside_are_ignored() {
    let image = fixtures::quarters(40, 24);
    let exif = [
        // A directory that is its own successor, and one outside the data.
        b"II*\0\x08\0\0\0\0\0\x08\0\0\0".to_vec(),
        b"II*\0\xFF\xFF\xFF\xFF".to_vec(),
        b"MM\0*\0\0\0\x08\xFF\xFF".to_vec(),
        [b"II*\0\x08\0\0\0\xFF\xFF", &[0x12, 0x01, 3, 0, 1, 0, 0, 0, 99, 99, 0, 0].repeat(900)[..]]
            .concat(),
        fixtures::tiff(&[
            (0x8769, 4, [8, 0, 0, 0]),
            (0x014A, 4, [8, 0, 0, 0]),
            (0x0112, 4, [6, 0, 0, 0]),
        ]),
        vec![],
        b"II".to_vec(),
    ];
    for exif in exif {
        for file in [
            fixtures::jpeg_with_exif(&fixtures::jpeg(&image), &exif),
            fixtures::png_with_exif(&fixtures::png(&image), &exif),
            fixtures::webp_with_exif(&image, &exif),
        ] {
            assert_eq!(post(&file).dimensions(), (40, 24));
        }
    }
}

#[test]
fn frames_whose_dimensions_differ_from_the_container_are_rejected() {
    let lossy = fixtures::lossy_webp_with_alpha();
    let chunk = |name: [u8; 4]| {
        let at = lossy.windows(4).position(|bytes| bytes == name).unwrap();
        let length = usize::from(lossy[at + 4]);
        lossy[at + 8..][..length].to_vec()
    };
    let (alpha, frame) = (chunk(*b"ALPH"), chunk(*b"VP8 "));
    let data =
        [fixtures::riff_chunk(*b"ALPH", &alpha), fixtures::riff_chunk(*b"VP8 ", &frame)].concat();
    let declaring = |width: u32, height: u32| {
        let canvas = fixtures::canvas(0x12, 100, 100);
        let frame = fixtures::webp_frame(width, height, &data);
        fixtures::riff(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)])
    };
    assert!(decode(&declaring(32, 48)).is_ok());
    for (width, height) in [(2, 2), (31, 48), (32, 49), (100, 100)] {
        assert_eq!(decode(&declaring(width, height)).unwrap_err(), ImageError::Corrupt);
    }
}

#[test]
fn a_jpeg_with_too_many_scans_is_rejected() {
    let jpeg = fixtures::jpeg(&fixtures::quarters(16, 16));
    let scan = jpeg.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    let header = &jpeg[scan..scan + 14];
    let with = |scans: usize| [&jpeg[..scan], &header.repeat(scans), &[0xFF, 0xD9]].concat();

    assert!(decode(&with(100)).is_ok());
    assert_eq!(decode(&with(101)).unwrap_err(), ImageError::Corrupt);
}

#[test]
fn a_webp_with_too_many_prefix_codes_is_rejected_by_its_header() {
    let feature = "an unusual number of prefix codes";
    assert!(decode(&fixtures::webp_with_code_groups(1)).is_ok());
    assert!(decode(&fixtures::webp_with_code_groups(2_000)).is_ok());
    for count in [2_001, 60_000] {
        let error = ImageHeader::read(&fixtures::webp_with_code_groups(count)).unwrap_err();
        assert_eq!(error, ImageError::Unsupported { feature });
    }
}

/// A deterministic pseudo-random number generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

/// Changes a file at up to five random positions.
fn mutate(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = file.to_vec();
    for _ in 0..=random.below(4) {
        let (at, length) = (random.below(file.len()), random.below(24));
        let end = (at + length).min(file.len());
        match random.below(6) {
            0 => file.truncate(at),
            1 => _ = file.drain(at..end),
            2 => file = [&file[..end], &file[at..]].concat(),
            3 => file[at..end].fill(random.byte()),
            _ => {
                if let Some(byte) = file.get_mut(at) {
                    *byte = random.byte();
                }
            }
        }
    }
    file
}

/// Processes a file as a server does, unless it is too large to do so ten thousand times.
fn process(file: &[u8]) -> Result<impl Debug, ImageError> {
    let header = ImageHeader::read(file)?;
    if header.width() * header.height() > 250_000 {
        return Ok(0);
    }
    let image = DecodedImage::decode(file, Purpose::Post)?;
    image.select_square(None);
    Ok(image.encode_post_image().jpeg.len())
}

#[test]
fn mutated_files_never_cause_a_panic() {
    let samples = samples();
    let mut random = Random(42);
    let mut decoded = 0;
    for round in 0..10_000 {
        let file = mutate(&samples[round % samples.len()], &mut random);
        decoded += u32::from(process(&file).is_ok());
    }
    println!("{decoded} of 10,000 mutated files were decoded");
    assert!((100..9_900).contains(&decoded));
}

#[test]
fn mutated_profiles_never_cause_a_panic() {
    let profiles = [
        profiles::rgb_with_srgb_curve(profiles::P3),
        profiles::rgb(profiles::ADOBE, profiles::GAMMA_2_2),
        profiles::grey(profiles::GAMMA_1_8),
        profiles::lookup_table(profiles::PROPHOTO, 1.8),
    ];
    let webp = fixtures::webp(&fixtures::quarters(8, 8));
    let canvas = fixtures::canvas(0x20, 8, 8);
    let grey = fixtures::png_of(&[90; 64], (8, 8), png::ColorType::Grayscale, png::BitDepth::Eight);
    let mut random = Random(77);
    for round in 0..2_000 {
        let profile = mutate(&profiles[round % profiles.len()], &mut random);
        let frame = fixtures::encoded_frame(&webp);
        let webp = fixtures::riff(&[(b"VP8X", &canvas), (b"ICCP", &profile), (b"VP8L", frame)]);
        let png = fixtures::with_chunk(&grey, *b"iCCP", &profiles::compressed(&profile));
        assert!(process(&webp).is_ok() && process(&png).is_ok());
    }
}

#[test]
fn a_file_with_metadata_only_is_rejected() {
    let jpeg = fixtures::jpeg(&RgbImage::new(1, 1));
    let end = [0xFF, 0xD9];
    let comments = fixtures::with_segment(&jpeg[..2], 0xFE, &vec![0; 60_000]).repeat(80);
    assert_eq!(decode(&[&comments[..], &end].concat()).unwrap_err(), ImageError::Corrupt);
}
