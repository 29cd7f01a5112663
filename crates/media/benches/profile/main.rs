//! A picture of 12 megapixels to the four squares of a profile, against Pillow and libvips.
//!
//! What counts is processor time, user and system together, of all threads. Each side does its best: it decodes at a
//! reduced scale, makes the four sizes from one decode, and writes progressive, optimised JPEG of quality 85. The others
//! are run where Python finds them; `PYTHON` names another one than `python3`, `ROUNDS` how often each is done.
//!
//! `cargo bench -p grateful-media`

mod references;
mod sample_images;

use std::hint::black_box;
use std::time::Duration;

use grateful_media::{DecodedImage, Purpose};
use nix::time::{ClockId, clock_gettime};

use self::references::References;
use self::sample_images::SampleImage;

fn main() {
    // Cargo's tests run benches too, to see that they start.
    let rounds = if std::env::args().any(|it| it == "--bench") { setting("ROUNDS", 15) } else { 1 };
    let others = References::find();
    println!("ms of processor time, the least of {rounds} rounds");
    for sample_scene in sample_images::all() {
        against_others(&sample_scene, &others, rounds);
        parts(&sample_scene.jpeg, rounds);
    }
}

fn against_others(sample_scene: &SampleImage, others: &References, rounds: usize) {
    let ours =
        best(rounds, || decode(&sample_scene.jpeg, Purpose::Profile).encode_profile_sizes(None));
    let theirs = others.run(&sample_scene.jpeg, rounds);
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
    let (name, bytes) = (sample_scene.name, sample_scene.jpeg.len());
    println!("{name}, {bytes} bytes: ours {}, Pillow {pillow}, libvips {vips}", milliseconds(ours));
}

/// Where our own time goes.
fn parts(jpeg: &[u8], rounds: usize) {
    let image = decode(jpeg, Purpose::Profile);
    let decoding = best(rounds, || decode(jpeg, Purpose::Profile));
    let square = best(rounds, || image.select_square(None));
    let all = best(rounds, || image.encode_profile_sizes(None));
    let making = milliseconds(all.saturating_sub(square));
    let [decoding, square] = [decoding, square].map(milliseconds);
    println!("    decode {decoding}, find the square {square}, resize and write {making}");
    let image = decode(jpeg, Purpose::Post);
    let decoding = milliseconds(best(rounds, || decode(jpeg, Purpose::Post)));
    let making = milliseconds(best(rounds, || image.encode_post_image()));
    println!("    for a post: decode {decoding}, resize and write {making}");
}

fn decode(jpeg: &[u8], purpose: Purpose) -> DecodedImage {
    DecodedImage::decode(jpeg, purpose).expect("a picture")
}

/// The least that it took of some rounds, which is what it takes where nobody disturbs.
fn best<T>(rounds: usize, mut work: impl FnMut() -> T) -> Duration {
    let time = || {
        let before = now();
        black_box(work());
        now().saturating_sub(before)
    };
    std::iter::repeat_with(time).take(rounds).min().unwrap_or_default()
}

/// Processor time of this process, all its threads together.
fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock of the processor").into()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
