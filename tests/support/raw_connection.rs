//! A TCP connection for requests that an HTTP client would not send.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{ApiResponse, TIMEOUT};

/// A TCP connection to a server on which a test sends arbitrary bytes.
#[derive(Debug)]
pub struct RawConnection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl RawConnection {
    pub(crate) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends these bytes. Ignores errors, since the server may have closed the connection already.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        _ = timeout(TIMEOUT, self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Closes the sending half of the connection.
    pub async fn close_write(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Sends a complete request and reads its response.
    pub async fn round_trip(&mut self, request: impl AsRef<[u8]>) -> ApiResponse {
        self.send(request).await;
        self.read_response().await.expect("a response")
    }

    /// Reads the next response. Returns `None` if the server closes the connection first.
    pub async fn read_response(&mut self) -> Option<ApiResponse> {
        let head = self.read_head().await?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut response = ApiResponse { status, headers: headers.collect(), body: Vec::new() };
        let length =
            response.header("content-length").map(|length| length.parse::<usize>().unwrap());
        while length.is_none_or(|length| self.unread.len() < length) && self.read_more().await {}
        let length = length.unwrap_or(self.unread.len());
        assert!(length <= self.unread.len(), "the response is incomplete: {response}");
        response.body = self.unread.drain(..length).collect();
        Some(response)
    }

    /// Reads the head of the next response and leaves the following bytes unread. For responses without a body whose
    /// `Content-Length` is not zero, such as responses to `HEAD`.
    pub async fn read_head(&mut self) -> Option<String> {
        let end = loop {
            if let Some(position) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break position;
            }
            if !self.read_more().await {
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end + 4).collect();
        Some(String::from_utf8(head).unwrap().trim_end().to_owned())
    }

    /// Waits until the server closes the connection, discards what it sends until then, and returns how long that took.
    pub async fn wait_for_close(&mut self) -> Duration {
        let start = Instant::now();
        while self.read_more().await {}
        start.elapsed()
    }

    /// Whether the server neither sends anything nor closes the connection for this duration.
    pub async fn stays_idle(&mut self, duration: Duration) -> bool {
        timeout(duration, self.stream.read_buf(&mut self.unread)).await.is_err()
    }

    /// Closes the connection with a TCP reset, which the server notices at once.
    pub fn reset(self) {
        // With a linger time of zero, closing discards unsent data and sends RST.
        self.stream.set_zero_linger().unwrap();
    }

    /// Reads the next bytes. Returns `false` at the end of the stream.
    async fn read_more(&mut self) -> bool {
        let read = timeout(TIMEOUT, self.stream.read_buf(&mut self.unread)).await;
        matches!(read.expect("data or a close before the timeout"), Ok(1..))
    }
}
