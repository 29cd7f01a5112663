//! Encodes the four profile squares of a 12-megapixel image, and compares the time with Pillow and libvips.
//!
//! Measures processor time, user and system, of all threads. Each library uses its fastest method: it decodes at a
//! reduced scale, encodes the four sizes from one decode, and writes progressive, optimised JPEG of quality 85. Pillow
//! and libvips run if Python finds them. `PYTHON` selects another interpreter than `python3`, `ROUNDS` the number of
//! rounds. `GRATEFUL_BENCH=short` runs one round.
//!
//! `cargo bench -p grateful-media`

mod references;
mod sample_images;

use std::env;
use std::hint::black_box;
use std::time::Duration;

use grateful_media::{DecodedImage, Purpose};
use nix::time::{ClockId, clock_gettime};

use self::references::References;
use self::sample_images::SampleImage;

fn main() {
    let rounds = rounds();
    let references = References::find();
    println!("ms of processor time, minimum of {rounds} rounds");
    for sample in sample_images::all() {
        compare_with_references(&sample, &references, rounds);
        print_phases(&sample.jpeg, rounds);
    }
}

fn compare_with_references(sample: &SampleImage, references: &References, rounds: usize) {
    let ours = best(rounds, || decode(&sample.jpeg, Purpose::Profile).encode_profile_sizes(None));
    let theirs = references.run(&sample.jpeg, rounds);
    let ratio = |theirs: &Option<Duration>| {
        theirs.map_or("not installed".to_owned(), |theirs| {
            format!(
                "{} (ratio {:.2})",
                milliseconds(theirs),
                ours.as_secs_f64() / theirs.as_secs_f64()
            )
        })
    };
    let [pillow, vips] = theirs.each_ref().map(ratio);
    let (name, bytes) = (sample.name, sample.jpeg.len());
    println!("{name}, {bytes} bytes: ours {}, Pillow {pillow}, libvips {vips}", milliseconds(ours));
}

/// Prints the time of each phase.
fn print_phases(jpeg: &[u8], rounds: usize) {
    let image = decode(jpeg, Purpose::Profile);
    let decoding = best(rounds, || decode(jpeg, Purpose::Profile));
    let square = best(rounds, || image.select_square(None));
    let all = best(rounds, || image.encode_profile_sizes(None));
    let encoding = milliseconds(all.saturating_sub(square));
    let [decoding, square] = [decoding, square].map(milliseconds);
    println!("    decode {decoding}, find the square {square}, resize and encode {encoding}");
    let image = decode(jpeg, Purpose::Post);
    let decoding = milliseconds(best(rounds, || decode(jpeg, Purpose::Post)));
    let encoding = milliseconds(best(rounds, || image.encode_post_image()));
    println!("    for a post: decode {decoding}, resize and encode {encoding}");
}

fn decode(jpeg: &[u8], purpose: Purpose) -> DecodedImage {
    DecodedImage::decode(jpeg, purpose).expect("an image")
}

/// The minimum of several rounds, which is the time without interference.
fn best<T>(rounds: usize, mut work: impl FnMut() -> T) -> Duration {
    let time = || {
        let before = now();
        black_box(work());
        now().saturating_sub(before)
    };
    std::iter::repeat_with(time).take(rounds).min().expect("at least one round")
}

/// Processor time of this process and all its threads.
fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a processor time clock").into()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

/// `ROUNDS`, or the number of rounds of the full or the short form.
fn rounds() -> usize {
    let is_short = match env::var("GRATEFUL_BENCH").as_deref() {
        Ok("short") => true,
        Ok(other) => panic!("GRATEFUL_BENCH={other}: the only form with a name is `short`"),
        Err(_) => false,
    };
    match env::var("ROUNDS") {
        Ok(text) => text.parse().expect("ROUNDS is a number"),
        Err(_) if is_short => 1,
        Err(_) => 15,
    }
}
