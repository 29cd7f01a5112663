//! Many clients that send requests in a closed loop on persistent connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The requests to send, and the number of concurrent connections.
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) connections: usize,
    /// Complete requests with head and body, sent in turn.
    pub(crate) requests: Arc<Vec<String>>,
}

/// The duration of each request.
pub(crate) struct Measurements {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Load {
    /// Sends requests for this long. Panics on a response that is not a success, since the result would be meaningless.
    pub(crate) async fn run(&self, duration: Duration) -> Measurements {
        let started = Instant::now();
        let clients = (0..self.connections).map(|number| {
            let (address, requests) = (self.address.clone(), Arc::clone(&self.requests));
            tokio::spawn(
                async move { client(&address, &requests, number, started + duration).await },
            )
        });
        let mut times = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            times.extend(client.await.expect("a task that does not panic"));
        }
        let elapsed = started.elapsed();
        times.sort_unstable();
        Measurements { times, elapsed }
    }
}

impl Measurements {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64()
    }

    /// The duration that this share of the requests stayed below.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a list of some hundred thousand"
    )]
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let index = (self.times.len() as f64 * share) as usize;
        self.times.get(index).copied().unwrap_or_default()
    }
}

async fn client(address: &str, requests: &[String], first: usize, until: Instant) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    let mut buffer = vec![0; 256 * 1024];
    let mut times = Vec::with_capacity(100_000);
    for request in requests.iter().cycle().skip(first * 37 % requests.len()) {
        let started = Instant::now();
        if until <= started {
            break;
        }
        stream.write_all(request.as_bytes()).await.expect("a sent request");
        read_response(&mut stream, &mut buffer).await;
        times.push(started.elapsed());
    }
    times
}

/// Reads one response, head and body.
async fn read_response(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.expect("a response");
        assert_ne!(read, 0, "the server closed the connection");
        filled += read;
        let Some(head) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let text = str::from_utf8(&buffer[..head]).expect("an ASCII head");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        if head + 4 + content_length(text) <= filled {
            return;
        }
    }
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.expect("a content-length").parse().expect("a number")
}
