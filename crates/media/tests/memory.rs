//! Processing never takes more memory than the header's upper bound, and rejected files take little.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "the images of the tests are small, and a failed unwrap fails the test"
)]

#[expect(dead_code, reason = "other test binaries use the rest")]
#[path = "images/fixtures.rs"]
mod fixtures;
#[expect(dead_code, reason = "other test binaries use the rest")]
#[path = "images/profiles.rs"]
mod profiles;

use std::io::Cursor;
use std::sync::{Mutex, MutexGuard, PoisonError};

use grateful_media::{DecodedImage, ImageError, ImageHeader, Purpose};
use image::{ExtendedColorType, RgbImage};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process, so only one test may run at a time.
fn lock_memory() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the work and returns its peak memory in bytes, beyond what was allocated before.
fn measure_peak<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = work();
    (result, (MEMORY.peak_usage() - before) as u64)
}

/// Encodes all sizes of a file, and panics if that takes more memory than the header's upper bound.
#[track_caller]
fn assert_bounded(name: &str, file: &[u8]) {
    for purpose in [Purpose::Profile, Purpose::Post] {
        let bound = ImageHeader::read(file).unwrap().memory_bytes(purpose);
        let (_, peak) = measure_peak(|| {
            let image = DecodedImage::decode(file, purpose)?;
            match purpose {
                Purpose::Profile => drop(image.encode_profile_sizes(None)),
                Purpose::Post => drop(image.encode_post_image()),
            }
            Ok::<_, ImageError>(())
        });
        println!("{name} for {purpose:?}: {peak} of {bound} bytes");
        assert!(peak <= bound, "{name} for {purpose:?}: {peak} of {bound} bytes");
    }
}

/// Declares other dimensions in a JPEG's header, so that most of the image is missing.
fn declare_dimensions(mut file: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let is_frame = |marker: &[u8]| marker == [0xFF, 0xC0] || marker == [0xFF, 0xC2];
    let frame = file.windows(2).position(is_frame).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn jpegs_stay_within_the_upper_bound() {
    let _lock = lock_memory();
    for (width, height) in [(16, 16), (900, 700), (3000, 2000), (12_000, 30), (20, 9_000)] {
        let image = fixtures::scene(width, height);
        assert_bounded("a JPEG", &fixtures::jpeg(&image));
        assert_bounded("a progressive JPEG", &fixtures::progressive_jpeg(&image));
        let full_chroma = fixtures::jpeg_with(&image, |encoder| {
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_4_4);
            encoder.set_progressive(true);
        });
        assert_bounded("a progressive JPEG without subsampling", &full_chroma);
        let rotated = fixtures::jpeg_with_exif(&full_chroma, &fixtures::exif(6));
        assert_bounded("the same, rotated", &rotated);
    }
    let ink = [1, 2, 3, 4].repeat(1000 * 800);
    let file = fixtures::jpeg_of(&ink, (1000, 800), jpeg_encoder::ColorType::CmykAsYcck);
    assert_bounded("a CMYK JPEG", &file);
}

#[test]
fn jpegs_that_declare_too_large_dimensions_stay_within_the_upper_bound() {
    let _lock = lock_memory();
    let small = fixtures::scene(64, 64);
    for (width, height) in [(7_000, 7_000), (12_000, 4_100), (4_100, 12_000)] {
        let file = declare_dimensions(fixtures::jpeg(&small), width, height);
        assert_bounded("a JPEG that is mostly missing", &file);
        let file = declare_dimensions(fixtures::progressive_jpeg(&small), width, height);
        assert_bounded("a progressive JPEG that is mostly missing", &file);
        // Without the last scans, so that the decoder has to use incomplete ones.
        let scans: Vec<usize> = memchr::memmem::find_iter(&file, b"\xFF\xDA").collect();
        let file = [&file[..scans[2]], &[0xFF, 0xD9]].concat();
        assert_bounded("a progressive JPEG of two scans", &file);
    }
}

#[test]
fn pngs_stay_within_the_upper_bound() {
    let _lock = lock_memory();
    let bits = vec![0xAA; 875 * 7_000];
    let bomb =
        fixtures::png_of(&bits, (7_000, 7_000), png::ColorType::Grayscale, png::BitDepth::One);
    assert!(bomb.len() < 100_000);
    assert_bounded("49 megapixels of one bit", &bomb);
    let deep = vec![7; 2_000 * 1_500 * 8];
    let deep =
        fixtures::png_of(&deep, (2_000, 1_500), png::ColorType::Rgba, png::BitDepth::Sixteen);
    assert_bounded("a PNG of 64 bits per pixel", &deep);
    let image = fixtures::scene(300, 200);
    assert_bounded("an animated PNG", &fixtures::animated_png(&image, 10_000));
    let text = [b"Comment\0", &vec![b'A'; 4_000_000][..]].concat();
    assert_bounded("a PNG of text", &fixtures::with_chunk(&fixtures::png(&image), *b"tEXt", &text));
}

#[test]
fn webps_stay_within_the_upper_bound() {
    let _lock = lock_memory();
    for (width, height) in [(16, 16), (1_500, 1_000), (12_000, 3), (3, 12_000)] {
        let image = fixtures::scene(width, height);
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
fn the_webp_decoder_takes_thousands_of_bytes_per_byte_of_prefix_codes() {
    let _lock = lock_memory();
    let file = fixtures::webp_with_code_groups(2_000);
    assert_bounded("a WebP with 2,000 prefix code groups", &file);

    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(&file)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.set_memory_limit(file.len());
    let (decoded, peak) = measure_peak(|| decoder.read_image(&mut pixels));

    decoded.unwrap();
    // Otherwise counting the groups first (`src/webp/prefix_codes.rs`) is not needed any more.
    assert!(peak > 2_000 * file.len() as u64, "{peak} bytes for a file of {} bytes", file.len());
}

#[test]
fn images_with_a_profile_stay_within_the_upper_bound() {
    let _lock = lock_memory();
    let matrix = profiles::rgb_with_srgb_curve(profiles::P3);
    // The largest table that seven tags can share.
    let table = profiles::shared_lookup_table(55);
    assert!((900_000..1 << 20).contains(&table.len()));
    for profile in [matrix, profiles::lookup_table(profiles::P3, 2.2), table] {
        for (width, height) in [(16, 16), (1_500, 1_000), (12_000, 30)] {
            let image = fixtures::scene(width, height);
            let mut jpeg = fixtures::jpeg(&image);
            for segment in profiles::icc_segments(&profile, 65_000) {
                jpeg = fixtures::with_segment(&jpeg, 0xE2, &segment);
            }
            assert_bounded("a JPEG with a profile", &jpeg);
            let compressed = profiles::compressed(&profile);
            let png = fixtures::with_chunk(&fixtures::png(&image), *b"iCCP", &compressed);
            assert_bounded("a PNG with a profile", &png);
            let deep = vec![7; width as usize * height as usize * 8];
            let (colour, depth) = (png::ColorType::Rgba, png::BitDepth::Sixteen);
            let png = fixtures::png_of(&deep, (width, height), colour, depth);
            let png = fixtures::with_chunk(&png, *b"iCCP", &compressed);
            assert_bounded("a PNG of 64 bits per pixel with a profile", &png);
            let webp = fixtures::webp(&image);
            let frame = fixtures::encoded_frame(&webp);
            let canvas = fixtures::canvas(0x2C, width, height);
            let webp = fixtures::riff(&[(b"VP8X", &canvas), (b"ICCP", &profile), (b"VP8L", frame)]);
            assert_bounded("a WebP with a profile", &webp);
        }
    }
    let png = fixtures::png(&fixtures::scene(16, 16));
    let bomb = profiles::compressed(&vec![0; 100 << 20]);
    assert_bounded("a PNG with 100 MB of zeros", &fixtures::with_chunk(&png, *b"iCCP", &bomb));
}

#[test]
fn rejected_files_take_little_memory() {
    const MAX_PEAK: u64 = 1 << 20;

    let _lock = lock_memory();
    let small = RgbImage::new(16, 16);
    let mut huge = fixtures::lossy_webp();
    // The frame declares 16,383 by 16,383 pixels, the container does not.
    let frame = huge.windows(3).position(|bytes| bytes == [0x9D, 1, 0x2A]).unwrap();
    huge[frame + 3..frame + 7].fill(0xFF);
    let lossy = huge[20..].to_vec();
    let hidden = fixtures::riff(&[(b"VP8X", &fixtures::canvas(0, 16, 16)), (b"VP8 ", &lossy)]);
    let exif = fixtures::riff(&[
        (b"VP8X", &fixtures::canvas(8, 16, 16)),
        (b"VP8L", fixtures::encoded_frame(&fixtures::webp(&small))),
        (b"EXIF", b"II"),
    ]);
    // Metadata that declares gigabytes.
    let at = exif.windows(4).position(|bytes| bytes == b"EXIF").unwrap();
    let mut endless = exif;
    endless[at + 4..at + 8].copy_from_slice(&[0xF0; 4]);

    for file in [
        declare_dimensions(fixtures::jpeg(&small), 30_000, 30_000),
        declare_dimensions(fixtures::progressive_jpeg(&small), 10_000, 10_000),
        huge,
        hidden,
        vec![0; 5_242_880],
        vec![0; 5_242_881],
    ] {
        let (result, peak) = measure_peak(|| DecodedImage::decode(&file, Purpose::Post).map(drop));
        assert!(result.is_err());
        assert!(peak <= MAX_PEAK, "{peak} bytes for {result:?}");
    }
    let (header, peak) = measure_peak(|| ImageHeader::read(&endless));
    assert!(peak <= MAX_PEAK, "{peak} bytes for {header:?}");
}
