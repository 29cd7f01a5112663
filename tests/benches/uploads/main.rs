//! Image uploads during reads: the upload throughput, and the effect on the latency of concurrent reads.
//!
//! The same reads run in turn alone and during uploads of 3-megapixel photos at the maximum rate. The ratio of the
//! latencies shows how much uploads slow down reads.
//!
//! `cargo bench -p grateful-tests --bench uploads`; `SECONDS` and `ROUNDS` set the duration, and
//! `GRATEFUL_BENCH=short` runs the short form.

#[path = "../shared/load.rs"]
mod load;
#[path = "../shared/measurements.rs"]
mod measurements;
#[path = "../shared/settings.rs"]
mod settings;

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_testkit::a_png;
use grateful_tests::{Client, Setup, Token};

use self::load::{Load, get_request};
use self::measurements::Measurements;
use self::settings::setting;

/// Concurrent readers: few enough that cores are sometimes idle, as on a server that is not overloaded.
const READERS: usize = 4;

/// Concurrent uploaders: more than most machines process in parallel, so that the queue is never empty.
const UPLOADERS: usize = 8;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (seconds, rounds) = (setting("SECONDS", 5.0, 1.0), setting("ROUNDS", 3, 1));
    let duration = Duration::from_secs_f64(seconds);
    let setup = Setup::with_test_database().await;
    let server = setup.start_with_log(Stdio::null()).await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    for number in 0..200 {
        client.create_post(&ana, &format!("For number {number}.")).send().await.expect(201);
    }
    // Uses the server's own output as a realistic photo.
    let post =
        client.create_post_with_image(&ana, "Look!", &a_png(2_048, 1_536)).send().await.expect(201);
    let url = post.json()["image_url"].as_str().expect("an image").to_owned();
    let photo = Arc::new(client.get(&url).send().await.expect(200).body);
    let mut uploaders = Vec::new();
    for number in 0..UPLOADERS {
        uploaders.push((client.clone(), client.sign_up(&format!("uploader_{number}")).await));
    }
    let paths = ["/api/v1/posts/feed", "/api/v1/notifications", "/api/v1/users/me/profile"];
    let requests = Arc::new(paths.map(|path| get_request(path, Some(&ana))).to_vec());
    let load = Load { address: server.address(), connections: READERS, requests };
    println!(
        "{READERS} readers, {UPLOADERS} uploaders of {} bytes, {rounds} rounds of {seconds} s",
        photo.len()
    );
    println!(
        "{:<16} {:>9} {:>10} {:>9} {:>9} {:>10} {:>10}",
        "", "reads/s", "photos/s", "p50", "p99", "p50 ratio", "p99 ratio"
    );

    for round in 1..=rounds {
        let alone = load.run(duration).await;
        let until = Instant::now() + duration;
        let uploads = uploaders.iter().cloned().map(|(client, token)| {
            tokio::spawn(upload_until(until, client, token, Arc::clone(&photo)))
        });
        let uploads: Vec<_> = uploads.collect();
        let during_uploads = load.run(duration).await;
        let mut uploaded = 0;
        for upload in uploads {
            uploaded += upload.await.expect("a task that does not panic");
        }
        assert!(0 < uploaded, "no photo was uploaded");
        print(&format!("{round}: alone"), &alone, None, None);
        let photos = f64::from(uploaded) / duration.as_secs_f64();
        print(&format!("{round}: with photos"), &during_uploads, Some(photos), Some(&alone));
    }
}

/// Uploads the photo repeatedly and returns how often.
async fn upload_until(until: Instant, client: Client, token: Token, photo: Arc<Vec<u8>>) -> u32 {
    let mut uploaded = 0;
    while Instant::now() < until {
        client.upload_photo(&token, &photo).send().await.expect(200);
        uploaded += 1;
    }
    uploaded
}

fn print(
    name: &str,
    measurements: &Measurements,
    photos: Option<f64>,
    baseline: Option<&Measurements>,
) {
    let ratio = |share| {
        baseline.map(|baseline| {
            format!("{:.2}", measurements.percentile(share) / baseline.percentile(share))
        })
    };
    println!(
        "{name:<16} {:>9.0} {:>10} {:>7.2}ms {:>7.2}ms {:>10} {:>10}",
        measurements.per_second(),
        photos.map_or_else(String::new, |photos| format!("{photos:.1}")),
        measurements.percentile(0.50),
        measurements.percentile(0.99),
        ratio(0.50).unwrap_or_default(),
        ratio(0.99).unwrap_or_default(),
    );
}
