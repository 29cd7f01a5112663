use std::fmt::Debug;

use grateful_media::{DecodedImage, ImageError, ImageHeader, Purpose};
use image::RgbImage;
use jpeg_encoder::ColorType;

use crate::fixtures;
use crate::inspect::{assert_close, post, quarters};

fn decode(file: &[u8]) -> Result<DecodedImage, ImageError> {
    DecodedImage::decode(file, Purpose::Profile)
}

/// A JPEG that says that it is of other sides.
fn jpeg_that_says(width: u16, height: u16) -> Vec<u8> {
    let mut file = fixtures::jpeg(&fixtures::quarters(16, 16));
    let frame = file.windows(2).position(|it| it == [0xFF, 0xC0]).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// A PNG that says that it is of other sides, in 42 kB.
fn png_that_says(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let parts = [fixtures::chunk(*b"IHDR", &header), fixtures::chunk(*b"IDAT", &vec![0; 42_000])];
    [b"\x89PNG\r\n\x1A\n".to_vec(), parts.concat(), fixtures::chunk(*b"IEND", &[])].concat()
}

fn webp_that_says(width: u32, height: u32) -> Vec<u8> {
    let webp = fixtures::webp(&fixtures::quarters(16, 16));
    fixtures::riff(&[
        (b"VP8X", &fixtures::canvas(0, width, height)),
        (b"VP8L", fixtures::coded(&webp)),
    ])
}

#[test]
fn pictures_that_are_too_large_are_refused_by_what_they_say() {
    let too_long = ImageError::SideTooLong { width: 12_001, height: 1 };
    let huge = ImageError::SideTooLong { width: 30_000, height: 30_000 };
    let too_many = ImageError::TooManyPixels { width: 8_000, height: 6_251 };

    for (file, error) in [
        (png_that_says(30_000, 30_000), huge),
        (jpeg_that_says(30_000, 30_000), huge),
        (png_that_says(12_001, 1), too_long),
        (jpeg_that_says(12_001, 1), too_long),
        (webp_that_says(12_001, 1), too_long),
        (png_that_says(8_000, 6_251), too_many),
        (jpeg_that_says(8_000, 6_251), too_many),
        (webp_that_says(8_000, 6_251), too_many),
    ] {
        assert_eq!(ImageHeader::read(&file).unwrap_err(), error);
        assert_eq!(decode(&file).unwrap_err(), error);
    }
    assert_eq!(ImageHeader::read(&png_that_says(8_000, 6_250)).unwrap().width(), 8_000);
}

#[test]
fn files_that_are_too_large_are_refused_unread() {
    let mut file = fixtures::jpeg(&fixtures::quarters(16, 16));
    file.resize(5_242_880, 0);
    assert!(decode(&file).is_ok());
    file.push(0);
    assert_eq!(decode(&file).unwrap_err(), ImageError::TooManyBytes { bytes: 5_242_881 });
}

#[test]
fn pictures_without_pixels_are_refused() {
    let told_later = ImageError::Unsupported { feature: "a height that is defined at the end" };
    assert_eq!(decode(&jpeg_that_says(0, 16)).unwrap_err(), ImageError::Corrupt);
    assert_eq!(decode(&jpeg_that_says(16, 0)).unwrap_err(), told_later);
    assert_eq!(decode(&png_that_says(0, 16)).unwrap_err(), ImageError::Corrupt);
    assert_eq!(decode(&png_that_says(16, 0)).unwrap_err(), ImageError::Corrupt);
}

/// One of each kind, small.
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
fn what_is_cut_off_is_refused_and_not_half_grey() {
    for file in samples() {
        let whole = quarters(&post(&file));
        for length in 0..file.len() {
            // What stands behind the pixels may be missing: other frames, and the end of a PNG.
            if decode(&file[..length]).is_ok() {
                assert_close(&quarters(&post(&file[..length])), &whole, 0);
                assert!(length > file.len() / 4, "{length} of {}", file.len());
            }
        }
    }
    let jpeg = fixtures::jpeg(&fixtures::sample_scene(300, 300));
    for length in (0..jpeg.len()).step_by(7) {
        let error = decode(&jpeg[..length]).unwrap_err();
        assert!(matches!(error, ImageError::Corrupt | ImageError::UnknownFormat), "{error}");
    }
}

#[test]
fn of_a_polyglot_only_the_picture_is_seen() {
    let script = b"<script>alert(1)</script>PK\x03\x04%PDF-1.4";
    for file in samples() {
        let polyglot = [&file[..], script].concat();
        let seen = DecodedImage::decode(&polyglot, Purpose::Post).unwrap().encode_post_image().jpeg;
        assert_eq!(
            seen,
            DecodedImage::decode(&file, Purpose::Post).unwrap().encode_post_image().jpeg
        );
        assert_eq!(decode(&[script, &file[..]].concat()).unwrap_err(), ImageError::UnknownFormat);
    }
}

#[test]
fn ten_thousand_frames_cost_no_more_than_one() {
    let image = fixtures::quarters(40, 24);
    for file in [fixtures::animated_png(&image, 10_000), fixtures::animated_webp(&image, 10_000)] {
        let few = post(&fixtures::png(&image));
        assert_close(&quarters(&post(&file)), &quarters(&few), 2);
    }
}

#[test]
fn random_bytes_behind_a_right_beginning_are_refused() {
    let mut random = Random(7);
    for beginning in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1A\n", b"RIFF\xFF\xFF\0\0WEBPVP8 "] {
        for _ in 0..200 {
            let noise: Vec<u8> = (0..2_000).map(|_| random.byte()).collect();
            assert!(decode(&[beginning, &noise].concat()).is_err());
        }
    }
}

#[test]
fn metadata_that_loops_or_leads_nowhere_is_passed_over() {
    let image = fixtures::quarters(40, 24);
    let exif = [
        // A directory that is its own neighbour, and one far outside.
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
fn huge_text_is_passed_over_and_huge_metadata_refused() {
    let png = fixtures::png(&fixtures::quarters(40, 24));
    let long = vec![b'A'; 4_000_000];
    let text = fixtures::with_chunk(&png, *b"tEXt", &[b"Comment\0", &long[..]].concat());
    let exif = fixtures::with_chunk(&png, *b"eXIf", &long);

    assert_eq!(post(&text).dimensions(), (40, 24));
    let feature = "very large metadata";
    assert_eq!(decode(&exif).unwrap_err(), ImageError::Unsupported { feature });
}

#[test]
fn frames_that_contradict_the_file_are_refused() {
    let lossy = fixtures::lossy_webp_with_alpha();
    let part = |name: [u8; 4]| {
        let at = lossy.windows(4).position(|it| it == name).unwrap();
        let length = usize::from(lossy[at + 4]);
        lossy[at + 8..][..length].to_vec()
    };
    let (alpha, frame) = (part(*b"ALPH"), part(*b"VP8 "));
    let data = [fixtures::part(*b"ALPH", &alpha), fixtures::part(*b"VP8 ", &frame)].concat();
    let of = |width: u32, height: u32| {
        let canvas = fixtures::canvas(0x12, 100, 100);
        let frame = fixtures::webp_frame(width, height, &data);
        fixtures::riff(&[(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &frame)])
    };
    assert!(decode(&of(32, 48)).is_ok());
    for (width, height) in [(2, 2), (31, 48), (32, 49), (100, 100)] {
        assert_eq!(decode(&of(width, height)).unwrap_err(), ImageError::Corrupt);
    }
}

#[test]
fn a_jpeg_of_thousands_of_scans_is_refused() {
    let jpeg = fixtures::jpeg(&fixtures::quarters(16, 16));
    let scan = jpeg.windows(2).position(|it| it == [0xFF, 0xDA]).unwrap();
    let header = &jpeg[scan..scan + 14];
    let with = |scans: usize| [&jpeg[..scan], &header.repeat(scans), &[0xFF, 0xD9]].concat();

    assert!(decode(&with(100)).is_ok());
    assert_eq!(decode(&with(101)).unwrap_err(), ImageError::Corrupt);
}

/// Writes bits from the lowest of each byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    fn put(&mut self, value: u64, bits: usize) {
        for at in 0..bits {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> at & 1) as u8) << (self.length % 8);
            self.length += 1;
        }
    }

    /// A code of one symbol, which takes no bits.
    fn only(&mut self, symbol: u64) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }
}

/// A lossless WebP of four by four whose one pixel of codes names the last of so many.
fn webp_with_codes(count: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2F, 8);
    bits.put(3 | 3 << 14, 32);
    // No transform, no cache, but codes for blocks of four by four, in a picture without a cache.
    bits.put(0b100, 7);
    let last = count - 1;
    for symbol in [last & 0xFF, last >> 8, 0, 0, 0] {
        bits.only(symbol);
    }
    for _ in 0..count * 5 {
        bits.only(0);
    }
    bits.put(0, 64);
    fixtures::riff(&[(b"VP8L", &bits.bytes)])
}

#[test]
fn a_webp_of_more_codes_than_anybody_writes_is_refused_before_they_are_built() {
    let feature = "an unusual number of prefix codes";
    assert!(decode(&webp_with_codes(1)).is_ok());
    assert!(decode(&webp_with_codes(2_000)).is_ok());
    for count in [2_001, 60_000] {
        let error = ImageHeader::read(&webp_with_codes(count)).unwrap_err();
        assert_eq!(error, ImageError::Unsupported { feature });
    }
}

/// Numbers that look like chance, and are always the same.
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

/// A file that something happened to.
fn mutated(file: &[u8], random: &mut Random) -> Vec<u8> {
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

/// Does with a file what a server would, unless it is too large to do it ten thousand times.
fn use_up(file: &[u8]) -> Result<impl Debug, ImageError> {
    let header = ImageHeader::read(file)?;
    if header.width() * header.height() > 250_000 {
        return Ok(0);
    }
    let image = DecodedImage::decode(file, Purpose::Post)?;
    image.select_square(None);
    Ok(image.encode_post_image().jpeg.len())
}

#[test]
fn ten_thousand_mutated_files_end_in_a_picture_or_a_refusal() {
    let samples = samples();
    let mut random = Random(42);
    let mut fine = 0;
    for round in 0..10_000 {
        let broken = mutated(&samples[round % samples.len()], &mut random);
        fine += u32::from(use_up(&broken).is_ok());
    }
    println!("{fine} of 10,000 mutated files are still pictures");
    assert!((100..9_900).contains(&fine));
}

#[test]
fn a_picture_of_metadata_alone_is_refused() {
    let jpeg = fixtures::jpeg(&RgbImage::new(1, 1));
    let end = [0xFF, 0xD9];
    let comments = fixtures::with_segment(&jpeg[..2], 0xFE, &vec![0; 60_000]).repeat(80);
    assert_eq!(decode(&[&comments[..], &end].concat()).unwrap_err(), ImageError::Corrupt);
}
