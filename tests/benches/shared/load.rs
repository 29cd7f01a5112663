//! Many clients that send requests in a closed loop on persistent connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_tests::Token;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::measurements::Measurements;

/// The requests to send, and the number of concurrent connections.
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) connections: usize,
    /// Complete requests with head and body, sent in turn.
    pub(crate) requests: Arc<Vec<String>>,
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
        Measurements::new(times, started.elapsed())
    }
}

/// A complete `GET` request, by a user or a guest.
pub(crate) fn get_request(path: &str, token: Option<&Token>) -> String {
    let authorization =
        token.map_or_else(String::new, |token| format!("Authorization: Bearer {}\r\n", token.0));
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n")
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
