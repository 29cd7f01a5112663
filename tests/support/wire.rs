//! A connection on which anything can be sent.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Answer, DEADLINE};

/// One connection to a server, for traffic that no decent client sends.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    pub(crate) async fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes. A server that has heard enough may have hung up.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        _ = timeout(DEADLINE, self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Sends a whole request, and waits for its answer.
    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await.expect("an answer")
    }

    /// Waits for the next answer; none where the server hangs up instead.
    pub async fn answer(&mut self) -> Option<Answer> {
        let head = self.head().await?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut answer = Answer { status, headers: headers.collect(), body: Vec::new() };
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        while length.is_none_or(|length| self.unread.len() < length) && self.more().await {}
        let length = length.unwrap_or(self.unread.len());
        assert!(length <= self.unread.len(), "an answer that was cut off: {answer}");
        answer.body = self.unread.drain(..length).collect();
        Some(answer)
    }

    /// Waits for the head of the next answer, and leaves what follows: for answers that have no body, whatever they
    /// say of its length.
    pub async fn head(&mut self) -> Option<String> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at;
            }
            if !self.more().await {
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        Some(String::from_utf8(head).unwrap().trim_end().to_owned())
    }

    /// Waits until the server hangs up, whatever it still says. Tells how long that took.
    pub async fn closed(&mut self) -> Duration {
        let begun = Instant::now();
        while self.more().await {}
        begun.elapsed()
    }

    /// Whether the server neither hangs up nor says anything for so long.
    pub async fn stays_idle(&mut self, long: Duration) -> bool {
        timeout(long, self.stream.read_buf(&mut self.unread)).await.is_err()
    }

    /// Lets go of the connection in a way that the other side notices at once.
    pub fn reset(self) {
        // Linger of nothing: what is under way is forgotten.
        self.stream.set_zero_linger().unwrap();
    }

    /// Reads what comes; false when nothing more will.
    async fn more(&mut self) -> bool {
        let read = timeout(DEADLINE, self.stream.read_buf(&mut self.unread)).await;
        matches!(read.expect("to hear from the server in time"), Ok(1..))
    }
}
