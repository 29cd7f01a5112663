//! A stream that ends when PostgreSQL does not answer in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::messages::{Messages, STARTUP};
use super::wire::Wire;

/// The bytes of a connection. Fails once PostgreSQL has owed an answer, and sent nothing, for longer than a limit.
///
/// So every wait for the database ends: that of a statement, of `BEGIN` and `COMMIT`, of a new session, and of a load of
/// rows. PostgreSQL's own `statement_timeout` is of no help if the server is frozen or cannot be reached, nor does it limit
/// how long a commit waits for standbys.
pub(super) struct MonitoredStream<S> {
    pub(super) io: S,
    monitor: Monitor,
}

/// Watches what is sent and received.
struct Monitor {
    wire: Arc<Wire>,
    sent: Messages,
    received: Messages,
    /// The number of answers that PostgreSQL owes. It ends each with `ReadyForQuery`.
    owed: usize,
    /// Whether bytes wait until PostgreSQL has read earlier ones.
    is_blocked: bool,
    /// Since when PostgreSQL has sent nothing while it owed an answer.
    silent_since: Instant,
    /// `None` is no limit.
    limit: Option<Duration>,
    /// Set again only when it has elapsed, since setting a timer for each statement would cost more than all else here.
    timer: Pin<Box<Sleep>>,
    is_timer_set: bool,
}

impl<S> MonitoredStream<S> {
    /// Watches a stream on which no byte was sent yet. If `asks_for_tls`, the client first asks for TLS, and the server
    /// answers with one byte.
    pub(super) fn new(
        io: S,
        wire: &Arc<Wire>,
        limit: Option<Duration>,
        asks_for_tls: bool,
    ) -> Self {
        let (untyped, raw) = if asks_for_tls { (2, 1) } else { (1, 0) };
        let now = Instant::now();
        let monitor = Monitor {
            wire: Arc::clone(wire),
            sent: Messages::of_client(untyped),
            received: Messages::of_server(raw),
            owed: 0,
            is_blocked: false,
            silent_since: now,
            limit,
            timer: Box::pin(tokio::time::sleep_until(now)),
            is_timer_set: false,
        };
        Self { io, monitor }
    }
}

impl Monitor {
    fn is_waiting(&self) -> bool {
        0 < self.owed || self.is_blocked
    }

    fn on_sent(&mut self, bytes: &[u8]) {
        let was_waiting = 0 < self.owed;
        let owed = &mut self.owed;
        self.sent.feed(bytes, |kind, _| {
            if [STARTUP, b'Q', b'S', b'F'].contains(&kind) {
                *owed += 1;
            }
        });
        if !was_waiting || self.is_blocked {
            self.silent_since = Instant::now();
        }
        self.is_blocked = false;
    }

    fn on_blocked(&mut self) {
        if !self.is_waiting() {
            self.silent_since = Instant::now();
        }
        self.is_blocked = true;
    }

    fn on_received(&mut self, bytes: &[u8]) {
        self.silent_since = Instant::now();
        self.wire.heard();
        let (owed, wire) = (&mut self.owed, &self.wire);
        self.received.feed(bytes, |kind, body| match kind {
            // A server that wants rows to copy ignores the end of the statement that asked for them.
            b'Z' | b'G' => *owed = owed.saturating_sub(1),
            b'E' => wire.failed(body),
            _ => {}
        });
    }

    /// Ready with an error once the limit has passed.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(limit) = self.limit.filter(|_| self.is_waiting()) else { return Poll::Pending };
        let deadline = self.silent_since + limit;
        if !self.is_timer_set {
            self.timer.as_mut().reset(deadline);
            self.is_timer_set = true;
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                self.wire.fell_silent(self.silent_since.elapsed());
                let reason = format!("PostgreSQL has not answered for {} ms", limit.as_millis());
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MonitoredStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { io, monitor } = self.get_mut();
        let start = buf.filled().len();
        match Pin::new(io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                monitor.on_received(&buf.filled()[start..]);
                Poll::Ready(Ok(()))
            }
            Poll::Pending => monitor.poll_silence(cx).map(Err),
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MonitoredStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { io, monitor } = self.get_mut();
        let written = Pin::new(io).poll_write(cx, buf);
        match &written {
            Poll::Ready(Ok(count)) => monitor.on_sent(&buf[..*count]),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => monitor.on_blocked(),
        }
        // Nothing else may poll the timer before the answer is due: the caller has tried to read before it writes.
        match monitor.poll_silence(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => written,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::super::wire::ServerHealth;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(6);
    const STARTUP_PACKET: &[u8] = &[0, 0, 0, 8, 0, 3, 0, 0];
    const SYNC: &[u8] = &[b'S', 0, 0, 0, 4];
    const READY: &[u8] = &[b'Z', 0, 0, 0, 5, b'I'];
    const COPY_IN: &[u8] = &[b'G', 0, 0, 0, 4];

    /// A session that has started, and its server.
    async fn session(limit: Option<Duration>) -> (MonitoredStream<DuplexStream>, DuplexStream) {
        let (client, mut server) = tokio::io::duplex(64);
        let wire = Wire::new(&ServerHealth::new("test"), false);
        let mut client = MonitoredStream::new(client, &wire, limit, false);
        client.write_all(STARTUP_PACKET).await.unwrap();
        server.write_all(READY).await.unwrap();
        client.read_exact(&mut [0; 6]).await.unwrap();
        (client, server)
    }

    /// How long a read takes until it fails, or `None` if it has not failed after an hour.
    async fn fails_after(client: &mut MonitoredStream<DuplexStream>) -> Option<Duration> {
        let start = Instant::now();
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_hours(1), client.read(&mut byte)).await;
        assert_eq!(read.ok()?.unwrap_err().kind(), io::ErrorKind::TimedOut);
        Some(start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_that_is_not_answered_fails_after_the_limit() {
        let (mut client, _server) = session(Some(LIMIT)).await;
        client.write_all(SYNC).await.unwrap();

        let failed = fails_after(&mut client).await.unwrap();

        assert!((LIMIT..LIMIT + Duration::from_millis(10)).contains(&failed), "{failed:?}");
        assert!(client.monitor.wire.is_unusable());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_owes_nothing_may_be_silent() {
        let (mut client, mut server) = session(Some(LIMIT)).await;
        client.write_all(SYNC).await.unwrap();
        server.write_all(READY).await.unwrap();
        client.read_exact(&mut [0; 6]).await.unwrap();

        assert_eq!(fails_after(&mut client).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_statements_each_is_owed_an_answer() {
        let (mut client, mut server) = session(Some(LIMIT)).await;
        client.write_all(&[SYNC, SYNC].concat()).await.unwrap();
        tokio::time::advance(Duration::from_secs(5)).await;
        server.write_all(READY).await.unwrap();
        client.read_exact(&mut [0; 6]).await.unwrap();

        let failed = fails_after(&mut client).await.unwrap();

        assert!(LIMIT <= failed, "{failed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn rows_to_copy_are_awaited_by_the_server() {
        let (mut client, mut server) = session(Some(LIMIT)).await;
        client.write_all(SYNC).await.unwrap();
        server.write_all(COPY_IN).await.unwrap();
        client.read_exact(&mut [0; 5]).await.unwrap();

        assert_eq!(fails_after(&mut client).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_read_is_silent_too() {
        let (mut client, _server) = session(Some(LIMIT)).await;

        let written = client.write_all(&[b'd'; 1000]).await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_a_statement_may_run_for_hours() {
        let (mut client, _server) = session(None).await;
        client.write_all(SYNC).await.unwrap();

        assert_eq!(fails_after(&mut client).await, None);
    }
}
