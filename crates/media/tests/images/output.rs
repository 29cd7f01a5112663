use std::thread;

use grateful_media::{DecodedImage, PostImage, ProfileSizes, Purpose};
use image::{Rgb, RgbImage};

use crate::fixtures;
use crate::inspect::{pixels, segments};

fn profile(file: &[u8]) -> ProfileSizes {
    DecodedImage::decode(file, Purpose::Profile).unwrap().encode_profile_sizes(None)
}

fn post(file: &[u8]) -> PostImage {
    DecodedImage::decode(file, Purpose::Post).unwrap().encode_post_image()
}

fn all(file: &[u8]) -> [Vec<u8>; 5] {
    let ProfileSizes { thumbnail, small, medium, large } = profile(file);
    [thumbnail, small, medium, large, post(file).jpeg]
}

#[test]
fn profile_sizes_are_exact_for_images_of_any_size() {
    for sides in [(1, 1), (7, 300), (64, 64), (600, 500), (1200, 3000)] {
        let image = fixtures::scene(sides.0, sides.1);
        for file in [fixtures::jpeg(&image), fixtures::png(&image)] {
            let ProfileSizes { thumbnail, small, medium, large } = profile(&file);
            let sizes = [thumbnail, small, medium, large].map(|file| pixels(&file).dimensions());
            assert_eq!(sizes, [64, 128, 256, 512].map(|side| (side, side)));
        }
    }
}

#[test]
fn post_images_have_sides_of_at_most_2048_and_are_never_enlarged() {
    for (sides, expected) in [
        ((1, 1), (1, 1)),
        ((640, 480), (640, 480)),
        ((2048, 2047), (2048, 2047)),
        ((2050, 1025), (2048, 1024)),
        ((1500, 3000), (1024, 2048)),
        ((4100, 4100), (2048, 2048)),
        ((12_000, 3), (2048, 1)),
    ] {
        let file = fixtures::jpeg(&fixtures::scene(sides.0, sides.1));
        let PostImage { jpeg, width, height } = post(&file);
        assert_eq!((width, height), expected, "of {sides:?}");
        assert_eq!(pixels(&jpeg).dimensions(), expected);
    }
}

#[test]
fn output_is_progressive_jpeg_of_quality_85_with_optimized_huffman_tables() {
    /// The luminance quantization table of the JPEG standard, annex K.1, in zigzag order.
    #[rustfmt::skip]
    const LUMINANCE: [u32; 64] = [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
        61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
        113, 121, 112, 100, 120, 92, 101, 103, 99,
    ];
    /// Number of symbols in the standard's example Huffman table.
    const STANDARD_SYMBOLS: usize = 162;

    for file in all(&fixtures::jpeg(&fixtures::scene(900, 700))) {
        let segments = segments(&file);
        let bodies = |marker: u8| {
            segments
                .iter()
                .filter(move |segment| segment.0 == marker)
                .map(|segment| segment.1.to_vec())
        };
        let luminance = bodies(0xDB).find(|table| table[0] == 0).unwrap();
        let expected = LUMINANCE.map(|value| ((value * 30 + 50) / 100) as u8);

        assert_eq!(bodies(0xC2).count(), 1, "progressive");
        assert_eq!(luminance[1..65], expected);
        assert!(bodies(0xDA).count() > 3, "several scans");
        for table in bodies(0xC4) {
            let symbols: usize = table[1..17].iter().map(|&count| usize::from(count)).sum();
            assert_ne!(symbols, STANDARD_SYMBOLS);
        }
    }
}

/// Files with metadata of all kinds that identify a person and a location.
fn files_with_metadata() -> Vec<Vec<u8>> {
    const SECRET: &[u8] = b"SECRET of 52.5163 N 13.3777 E";
    let image = fixtures::scene(96, 64);
    let gps =
        [fixtures::tiff(&[(0x0112, 3, [1, 0, 0, 0]), (0x8825, 4, [26, 0, 0, 0])]), SECRET.to_vec()];
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat();
    let icc = [b"ICC_PROFILE\0\x01\x01", SECRET].concat();
    let text = [b"Comment\0", SECRET].concat();
    let itxt = [b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat();
    let canvas = fixtures::canvas(0x2C, 96, 64);
    let webp = fixtures::webp(&image);

    let mut jpeg = fixtures::jpeg_with_exif(&fixtures::jpeg(&image), &gps.concat());
    for (marker, body) in [
        (0xE1, &xmp[..]),
        (0xE2, &icc),
        (0xEC, SECRET),
        (0xED, &[b"Photoshop 3.0\0", SECRET].concat()),
        (0xFE, SECRET),
    ] {
        jpeg = fixtures::with_segment(&jpeg, marker, body);
    }
    let mut png = fixtures::png_with_exif(&fixtures::png(&image), &gps.concat());
    for (name, body) in [(b"tEXt", &text), (b"iTXt", &itxt), (b"iCCP", &text), (b"prVt", &xmp)] {
        png = fixtures::with_chunk(&png, *name, body);
    }
    let webp = fixtures::riff(&[
        (b"VP8X", &canvas),
        (b"ICCP", SECRET),
        (b"VP8L", fixtures::encoded_frame(&webp)),
        (b"EXIF", &gps.concat()),
        (b"XMP ", &xmp),
        (b"junk", SECRET),
    ]);
    let files = [jpeg, png, webp].map(|mut file| {
        // After the end, where a second file could be.
        file.extend_from_slice(SECRET);
        file
    });
    assert!(files.iter().all(|file| file.windows(6).any(|bytes| bytes == b"SECRET")));
    files.to_vec()
}

#[test]
fn metadata_is_removed() {
    for file in files_with_metadata() {
        for output in all(&file) {
            for word in
                [&b"SECRET"[..], b"Exif", b"adobe", b"ICC", b"Photoshop", b"II*\0", b"MM\0*"]
            {
                assert!(!output.windows(word.len()).any(|bytes| bytes == word), "{word:?}");
            }
            for (marker, body) in segments(&output) {
                // Tables, the frame, scans, and the JFIF header.
                assert!([0xDB, 0xC4, 0xC2, 0xDA, 0xE0].contains(&marker), "{marker:x}");
                assert!(marker != 0xE0 || (body.starts_with(b"JFIF\0") && body.len() == 14));
            }
        }
    }
}

#[test]
fn the_output_is_identical_on_every_thread() {
    let noise = RgbImage::from_fn(1300, 900, |x, y| {
        let hash = (x * 31 + y * 17).wrapping_mul(0x9E37_79B1);
        Rgb([x as u8, y as u8, (hash >> 24) as u8])
    });
    for file in [
        fixtures::jpeg(&noise),
        fixtures::progressive_jpeg(&noise),
        fixtures::png(&noise),
        fixtures::webp(&noise),
    ] {
        let first = all(&file);
        let second = thread::scope(|scope| scope.spawn(|| all(&file)).join().unwrap());
        assert!(first == all(&file));
        assert!(first == second);
    }
}
