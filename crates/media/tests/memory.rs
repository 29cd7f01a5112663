//! No picture takes more memory than its header says, and a refusal hardly any.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "pictures of the tests are small, and what fails is a test"
)]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "images/fixtures.rs"]
mod fixtures;

use std::sync::{Mutex, MutexGuard, PoisonError};

use grateful_media::{DecodedImage, ImageError, ImageHeader, Purpose};
use image::{ExtendedColorType, RgbImage};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Memory is counted for all of the process, so one test has it at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that were taken at most while something was done, beyond those before.
fn taken<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (done, (MEMORY.peak_usage() - before) as u64)
}

/// Makes everything of a file, and fails if that takes more than its header says.
#[track_caller]
fn assert_bounded(name: &str, file: &[u8]) {
    for purpose in [Purpose::Profile, Purpose::Post] {
        let bound = ImageHeader::read(file).unwrap().memory_bytes(purpose);
        let (_, taken) = taken(|| {
            let image = DecodedImage::decode(file, purpose)?;
            match purpose {
                Purpose::Profile => drop(image.encode_profile_sizes(None)),
                Purpose::Post => drop(image.encode_post_image()),
            }
            Ok::<_, ImageError>(())
        });
        println!("{name} for {purpose:?}: {taken} of {bound} bytes");
        assert!(taken <= bound, "{name} for {purpose:?}: {taken} of {bound} bytes");
    }
}

/// A JPEG with other sides than it was written with, so that most of it is missing.
fn jpeg_that_says(mut file: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let is_frame = |it: &[u8]| it == [0xFF, 0xC0] || it == [0xFF, 0xC2];
    let frame = file.windows(2).position(is_frame).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn jpegs_take_no_more_than_their_headers_say() {
    let _alone = alone();
    for (width, height) in [(16, 16), (900, 700), (3000, 2000), (12_000, 30), (20, 9_000)] {
        let image = fixtures::sample_scene(width, height);
        assert_bounded("a JPEG", &fixtures::jpeg(&image));
        assert_bounded("a progressive JPEG", &fixtures::progressive_jpeg(&image));
        let whole = fixtures::jpeg_with(&image, |encoder| {
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
            encoder.set_progressive(true);
        });
        assert_bounded("a progressive JPEG with all colours", &whole);
        let turned = fixtures::jpeg_with_exif(&whole, &fixtures::exif(6));
        assert_bounded("the same, turned", &turned);
    }
    let ink = [1, 2, 3, 4].repeat(1000 * 800);
    let file = fixtures::jpeg_of(&ink, (1000, 800), jpeg_encoder::ColorType::CmykAsYcck);
    assert_bounded("a JPEG of inks", &file);
}

#[test]
fn jpegs_that_say_more_than_they_have_take_no_more_either() {
    let _alone = alone();
    let small = fixtures::sample_scene(64, 64);
    for (width, height) in [(7_000, 7_000), (12_000, 4_100), (4_100, 12_000)] {
        let file = jpeg_that_says(fixtures::jpeg(&small), width, height);
        assert_bounded("a JPEG that is mostly missing", &file);
        let file = jpeg_that_says(fixtures::progressive_jpeg(&small), width, height);
        assert_bounded("a progressive JPEG that is mostly missing", &file);
        // Without its last scans, so that what there is has to do.
        let scans: Vec<usize> = memchr::memmem::find_iter(&file, b"\xFF\xDA").collect();
        let file = [&file[..scans[2]], &[0xFF, 0xD9]].concat();
        assert_bounded("a progressive JPEG of two scans", &file);
    }
}

#[test]
fn pngs_take_no_more_than_their_headers_say() {
    let _alone = alone();
    let bits = vec![0xAA; 875 * 7_000];
    let bomb =
        fixtures::png_of(&bits, (7_000, 7_000), png::ColorType::Grayscale, png::BitDepth::One);
    assert!(bomb.len() < 100_000);
    assert_bounded("49 megapixels of one bit", &bomb);
    let deep = vec![7; 2_000 * 1_500 * 8];
    let deep =
        fixtures::png_of(&deep, (2_000, 1_500), png::ColorType::Rgba, png::BitDepth::Sixteen);
    assert_bounded("a PNG of 64 bits for a pixel", &deep);
    let image = fixtures::sample_scene(300, 200);
    assert_bounded("an animated PNG", &fixtures::animated_png(&image, 10_000));
    let text = [b"Comment\0", &vec![b'A'; 4_000_000][..]].concat();
    assert_bounded("a PNG of text", &fixtures::with_chunk(&fixtures::png(&image), *b"tEXt", &text));
}

#[test]
fn webps_take_no_more_than_their_headers_say() {
    let _alone = alone();
    for (width, height) in [(16, 16), (1_500, 1_000), (12_000, 3), (3, 12_000)] {
        let image = fixtures::sample_scene(width, height);
        let alpha = vec![9; width as usize * height as usize * 4];
        let alpha = fixtures::webp_of(&alpha, (width, height), ExtendedColorType::Rgba8);
        assert_bounded("a WebP", &fixtures::webp(&image));
        assert_bounded("a WebP with alpha", &alpha);
        assert_bounded("an animated WebP", &fixtures::animated_webp(&image, 100));
    }
    assert_bounded("a lossy WebP", &fixtures::lossy_webp());
    assert_bounded("a lossy WebP with alpha", &fixtures::lossy_webp_with_alpha());
}

#[test]
fn refusals_take_hardly_any() {
    const LITTLE: u64 = 1 << 20;

    let _alone = alone();
    let small = RgbImage::new(16, 16);
    let mut huge = fixtures::lossy_webp();
    // Another 16,383 by 16,383 than the rest of the file says.
    let frame = huge.windows(3).position(|it| it == [0x9D, 1, 0x2A]).unwrap();
    huge[frame + 3..frame + 7].fill(0xFF);
    let lossy = huge[20..].to_vec();
    let hidden = fixtures::riff(&[(b"VP8X", &fixtures::canvas(0, 16, 16)), (b"VP8 ", &lossy)]);
    let exif = fixtures::riff(&[
        (b"VP8X", &fixtures::canvas(8, 16, 16)),
        (b"VP8L", fixtures::coded(&fixtures::webp(&small))),
        (b"EXIF", b"II"),
    ]);
    // Metadata that says that it has gigabytes.
    let at = exif.windows(4).position(|it| it == b"EXIF").unwrap();
    let mut endless = exif;
    endless[at + 4..at + 8].copy_from_slice(&[0xF0; 4]);

    for file in [
        jpeg_that_says(fixtures::jpeg(&small), 30_000, 30_000),
        jpeg_that_says(fixtures::progressive_jpeg(&small), 10_000, 10_000),
        huge,
        hidden,
        vec![0; 5_242_880],
        vec![0; 5_242_881],
    ] {
        let (error, taken) = taken(|| DecodedImage::decode(&file, Purpose::Post).map(drop));
        assert!(error.is_err());
        assert!(taken <= LITTLE, "{taken} bytes for {error:?}");
    }
    let (header, taken) = taken(|| ImageHeader::read(&endless));
    assert!(taken <= LITTLE, "{taken} bytes for {header:?}");
}
