//! Pictures beside ordinary reads: how many a server takes in a second, and what that costs those who read meanwhile.
//!
//! The same readers ask in turn alone and beside people who send photos of 3 megapixels as fast as they are taken, so that
//! the ratio of their times says how far pictures stand in the way of others.
//!
//! `cargo bench -p grateful-tests --bench uploads`; `SECONDS` and `ROUNDS` make it longer.

#[path = "../reads/load.rs"]
mod load;

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_testkit::a_png;
use grateful_tests::{Client, Setup, Token};

use self::load::{Load, Measured};

/// As many as read at once; few enough that a core is free now and then, as on a server that is not lost already.
const READERS: usize = 4;

/// As many as send photos at once: more than are made side by side on most machines, so that the queue is never empty.
const SENDERS: usize = 8;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (seconds, rounds) = (setting("SECONDS", 5), setting("ROUNDS", 3));
    let duration = Duration::from_secs(seconds);
    let setup = Setup::on_a_test_database().await;
    let server = setup.start_logging_to(Stdio::null()).await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    for number in 0..200 {
        client.publish(&ana, &format!("For number {number}.")).send().await.expect(201);
    }
    // What the server made of a picture is a photo like any other.
    let post =
        client.publish_pictured(&ana, "Look!", &a_png(2_048, 1_536)).send().await.expect(201);
    let url = post.json()["image_url"].as_str().expect("an image").to_owned();
    let photo = Arc::new(client.get(&url).send().await.expect(200).body);
    let mut senders = Vec::new();
    for number in 0..SENDERS {
        senders.push((client.clone(), client.sign_up(&format!("sender_{number}")).await));
    }
    let request = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", ana.0)
    };
    let requests = ["/api/v1/posts/feed", "/api/v1/notifications", "/api/v1/users/me/profile"];
    let requests = Arc::new(requests.map(request).to_vec());
    let load = Load { address: server.address(), connections: READERS, requests };
    println!(
        "{READERS} readers, {SENDERS} senders of {} bytes, {rounds} rounds of {seconds} s",
        photo.len()
    );
    println!(
        "{:<16} {:>9} {:>10} {:>9} {:>9} {:>10} {:>10}",
        "", "reads/s", "photos/s", "p50", "p99", "p50 ratio", "p99 ratio"
    );

    for round in 1..=rounds {
        let alone = load.run(duration).await;
        let until = Instant::now() + duration;
        let sending = senders
            .iter()
            .cloned()
            .map(|(client, who)| tokio::spawn(send_until(until, client, who, Arc::clone(&photo))));
        let sending: Vec<_> = sending.collect();
        let beside = load.run(duration).await;
        let mut sent = 0;
        for sender in sending {
            sent += sender.await.expect("a sender who goes on to the end");
        }
        print(&format!("{round}: alone"), &alone, None, None);
        let photos = f64::from(sent) / duration.as_secs_f64();
        print(&format!("{round}: with photos"), &beside, Some(photos), Some(&alone));
    }
}

/// Tells how many photos were taken.
async fn send_until(until: Instant, client: Client, who: Token, photo: Arc<Vec<u8>>) -> u32 {
    let mut sent = 0;
    while Instant::now() < until {
        client.set_photo(&who, &photo).send().await.expect(200);
        sent += 1;
    }
    sent
}

fn print(name: &str, it: &Measured, photos: Option<f64>, than: Option<&Measured>) {
    let seconds = |measured: &Measured, share| measured.percentile(share).as_secs_f64();
    let ratio =
        |share| than.map(|than| format!("{:.2}", seconds(it, share) / seconds(than, share)));
    println!(
        "{name:<16} {:>9.0} {:>10} {:>7.2}ms {:>7.2}ms {:>10} {:>10}",
        it.per_second(),
        photos.map_or_else(String::new, |photos| format!("{photos:.1}")),
        seconds(it, 0.50) * 1e3,
        seconds(it, 0.99) * 1e3,
        ratio(0.50).unwrap_or_default(),
        ratio(0.99).unwrap_or_default(),
    );
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
