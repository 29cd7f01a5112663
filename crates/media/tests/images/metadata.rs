use grateful_media::{DecodedImage, ImageHeader, Purpose};
use image::RgbImage;

use crate::fixtures;
use crate::inspect::{assert_close, post, quarters};

fn image() -> RgbImage {
    fixtures::quarters(96, 64)
}

/// Panics unless a file looks like the image, and like the image rotated by the orientation if there is one.
#[track_caller]
fn assert_shows(file: &[u8], expected: &[u8]) {
    let image = post(file);
    let expected = post(expected);
    assert_eq!(image.dimensions(), expected.dimensions());
    assert_close(&quarters(&image), &quarters(&expected), 6);
    DecodedImage::decode(file, Purpose::Profile).unwrap();
}

#[test]
fn bytes_like_scans_in_the_metadata_of_a_jpeg_do_not_count() {
    let scans = b"\xFF\xDA".repeat(150);
    for jpeg in [fixtures::jpeg(&image()), fixtures::progressive_jpeg(&image())] {
        for (marker, start) in [
            (0xE0, &b"JFXX\0"[..]),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
            (0xE2, b"ICC_PROFILE\0\x01\x01"),
            (0xE2, b"MPF\0"),
            (0xE4, b"MAKER\0"),
            (0xED, b"Photoshop 3.0\0"),
            (0xEF, b""),
            (0xFE, b""),
        ] {
            let file = fixtures::with_segment(&jpeg, marker, &[start, &scans].concat());
            assert_shows(&file, &jpeg);
            // Between the first scan and what follows it, or before the end.
            let at = jpeg.windows(2).rposition(|pair| pair[0] == 0xFF && pair[1] > 0xD9).unwrap();
            let late = [&jpeg[..at], &file[2..file.len() - jpeg.len() + 2], &jpeg[at..]].concat();
            assert_shows(&late, &jpeg);
        }
    }
}

#[test]
fn images_after_the_end_of_a_jpeg_do_not_count_as_scans() {
    let jpeg = fixtures::jpeg(&image());
    let scans = fixtures::progressive_jpeg(&image()).repeat(30);
    assert_shows(&[&jpeg[..], &scans].concat(), &jpeg);
}

#[test]
fn the_first_orientation_before_the_pixels_counts() {
    let [six, one, three] = [6, 1, 3].map(fixtures::exif);
    let empty = fixtures::tiff(&[]);
    let image = image();

    // Each segment is inserted before those that are there already.
    let jpeg = fixtures::jpeg_with_exif(&fixtures::jpeg(&image), &three);
    let jpeg = fixtures::jpeg_with_exif(&fixtures::jpeg_with_exif(&jpeg, &one), &six);
    let png = fixtures::png_with_exif(&fixtures::png(&image), &three);
    let png = fixtures::png_with_exif(&fixtures::png_with_exif(&png, &one), &six);
    let webp = fixtures::webp(&image);
    let webp = |exif: &[&[u8]]| {
        let canvas = fixtures::canvas(0x08, 96, 64);
        let frame = fixtures::encoded_frame(&webp);
        let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"VP8X", &canvas), (b"VP8L", frame)];
        chunks.extend(exif.iter().map(|exif| (b"EXIF", *exif)));
        fixtures::riff(&chunks)
    };
    let expected = fixtures::jpeg_with_exif(&fixtures::jpeg(&image), &six);

    for file in [
        jpeg.clone(),
        png.clone(),
        webp(&[&six, &one, &three]),
        // EXIF data without an orientation, and unreadable data, are passed over.
        fixtures::jpeg_with_exif(&jpeg, &empty),
        fixtures::png_with_exif(&png, &empty),
        webp(&[&empty, b"II", &six, &three]),
        fixtures::jpeg_with_exif(&jpeg, b"MM\0"),
        fixtures::png_with_exif(&png, b""),
    ] {
        assert_shows(&file, &expected);
    }
}

#[test]
fn an_orientation_after_the_pixels_of_a_jpeg_is_ignored() {
    let jpeg = fixtures::jpeg(&image());
    let six = fixtures::jpeg_with_exif(&jpeg, &fixtures::exif(6));
    let segment = &six[2..six.len() - jpeg.len() + 2];
    let (pixels, end) = jpeg.split_at(jpeg.len() - 2);
    assert_shows(&[pixels, segment, end].concat(), &jpeg);
}

#[test]
fn a_webp_that_announces_metadata_it_does_not_have_is_accepted() {
    let expected = fixtures::png(&image());
    let still = fixtures::webp(&image());
    for flags in 0..=0x0F_u8 {
        let flags = (flags & 3) << 2 | (flags & 4) << 3;
        let canvas = fixtures::canvas(flags, 96, 64);
        let frame = fixtures::encoded_frame(&still);
        assert_shows(&fixtures::riff(&[(b"VP8X", &canvas), (b"VP8L", frame)]), &expected);
        let mut animated = fixtures::animated_webp(&image(), 3);
        animated[20] |= flags;
        assert_shows(&animated, &expected);
    }
    let lossy = fixtures::lossy_webp();
    let canvas = fixtures::canvas(0x2C, 32, 48);
    let file = fixtures::riff(&[(b"VP8X", &canvas), (b"VP8 ", fixtures::encoded_frame(&lossy))]);
    assert_shows(&file, &lossy);
}

/// Contents of metadata that no program can read.
fn damaged_contents() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0],
        b"\xFF".repeat(300),
        b"\0".repeat(300),
        b"Exif\0\0II*\0\xFF\xFF\xFF\xFF".to_vec(),
        b"ICC_PROFILE\0".to_vec(),
        b"ICC_PROFILE\0\x01\x01\0\0".to_vec(),
        b"ICC_PROFILE\0\0\0".to_vec(),
        b"ICC_PROFILE\0\x07\x03acsp".to_vec(),
        b"p\0\0not deflated".to_vec(),
        b"p\0\x09".to_vec(),
        b"Adobe\0\x64\0\0\0\0\x09".to_vec(),
        b"Adobe\0".to_vec(),
        b"JFIF".to_vec(),
    ]
}

#[test]
fn damaged_metadata_of_a_jpeg_does_not_matter() {
    for jpeg in [fixtures::jpeg(&image()), fixtures::progressive_jpeg(&image())] {
        for contents in damaged_contents() {
            for marker in (0xE0..=0xEF).chain([0xFE]) {
                assert_shows(&fixtures::with_segment(&jpeg, marker, &contents), &jpeg);
            }
        }
        for marker in [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE] {
            for length in [[0, 0], [0, 1], [0xFF, 0xFF]] {
                let segment = [&[0xFF, marker], &length[..], b"Exif\0\0"].concat();
                assert_shows(&[&jpeg[..2], &segment, &jpeg[2..]].concat(), &jpeg);
            }
        }
    }
}

#[test]
fn damaged_metadata_of_a_png_does_not_matter() {
    const NAMES: [[u8; 4]; 22] = [
        *b"eXIf", *b"iCCP", *b"gAMA", *b"cHRM", *b"sRGB", *b"cICP", *b"sBIT", *b"pHYs", *b"tEXt",
        *b"zTXt", *b"iTXt", *b"tIME", *b"bKGD", *b"hIST", *b"sPLT", *b"mDCV", *b"cLLI", *b"acTL",
        *b"fcTL", *b"fdAT", *b"caBX", *b"prVt",
    ];
    let png = fixtures::png(&image());
    for name in NAMES {
        for contents in damaged_contents() {
            let whole = fixtures::with_chunk(&png, name, &contents);
            assert_shows(&whole, &png);
            assert_shows(&fixtures::with_chunk(&whole, name, &contents), &png);
            // The header has 33 bytes. A wrong checksum:
            let mut wrong = whole.clone();
            wrong[33 + 8 + contents.len()] ^= 1;
            assert_shows(&wrong, &png);
            // Lengths that are too large:
            for length in [[0, 0, 1, 0xF0], [0x7F, 0xFF, 0xFF, 0xFF]] {
                let mut long = whole.clone();
                long[33..37].copy_from_slice(&length);
                assert_shows(&long, &png);
            }
            // The same before the end:
            let (start, end) = png.split_at(png.len() - 12);
            assert_shows(&[start, &wrong[33..45 + contents.len()], end].concat(), &png);
        }
    }
}

#[test]
fn damaged_metadata_of_a_webp_does_not_matter() {
    let expected = fixtures::png(&image());
    let webp = fixtures::webp(&image());
    let frame = fixtures::encoded_frame(&webp);
    let canvas = fixtures::canvas(0x2C, 96, 64);
    for contents in damaged_contents() {
        for name in [b"ICCP", b"EXIF", b"XMP ", b"junk"] {
            let before = fixtures::riff(&[(b"VP8X", &canvas), (name, &contents), (b"VP8L", frame)]);
            let after = fixtures::riff(&[(b"VP8X", &canvas), (b"VP8L", frame), (name, &contents)]);
            assert_shows(&before, &expected);
            assert_shows(&after, &expected);
            // Truncated, and longer than the file.
            for cut in 1..contents.len().min(20) {
                assert_shows(&after[..after.len() - cut], &expected);
            }
            let mut long = before.clone();
            long[34..38].copy_from_slice(&[0xF0, 0xFF, 0xFF, 0]);
            assert_shows(&long, &expected);
        }
    }
}

#[test]
fn the_size_of_metadata_does_not_matter() {
    let long = vec![b'A'; 4_000_000];
    let png = fixtures::png(&image());
    for name in [*b"eXIf", *b"iCCP", *b"tEXt", *b"zTXt", *b"iTXt"] {
        let file = fixtures::with_chunk(&png, name, &[b"Comment\0\0", &long[..]].concat());
        assert_shows(&file, &png);
    }
    let webp = fixtures::webp(&image());
    let canvas = fixtures::canvas(0x2C, 96, 64);
    for name in [b"ICCP", b"EXIF", b"XMP "] {
        let frame = fixtures::encoded_frame(&webp);
        let file = fixtures::riff(&[(b"VP8X", &canvas), (name, &long), (b"VP8L", frame)]);
        assert_shows(&file, &png);
    }
    let mut jpeg = fixtures::jpeg(&image());
    for _ in 0..60 {
        jpeg = fixtures::with_segment(
            &jpeg,
            0xE2,
            &[b"ICC_PROFILE\0\x01\x3C", &long[..60_000]].concat(),
        );
    }
    assert_eq!(ImageHeader::read(&jpeg).unwrap().width(), 96);
    assert_shows(&jpeg, &png);
}
