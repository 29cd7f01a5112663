//! Bodies for errors of the protocol layer.
//!
//! If the head of a request never ends, is too large or is not HTTP, actix itself responds with a status and no body.
//! No route or middleware sees such a request. Since every error response has the same form of body
//! (docs/http-api.md#errors), this module adds the body when actix writes the response to the connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::http::StatusCode;
use actix_web::rt::net::TcpStream;
use grateful_application::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::request::RequestId;
use crate::response::Problem;

/// A connection that adds bodies to the error responses of the protocol layer.
pub(crate) struct ProtocolErrorStream {
    stream: TcpStream,
    clock: Arc<dyn Clock>,
    /// The response that replaces a bare error response.
    pending: Vec<u8>,
    /// The number of bytes of `pending` that are written.
    written: usize,
}

impl ProtocolErrorStream {
    pub(crate) fn new(stream: TcpStream, clock: Arc<dyn Clock>) -> Self {
        Self { stream, clock, pending: Vec::new(), written: 0 }
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.pending.len() {
            let rest = &self.pending[self.written..];
            self.written += ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ProtocolErrorStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ProtocolErrorStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        let Some(status) = bare_error_status(bytes) else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let id = RequestId::generate();
        tracing::info!(http.status = status.as_u16(), id = %id, "Protocol layer rejected a request");
        self.pending =
            error_response_bytes(status, &id, &Problem::for_status(status, &id, self.clock.now()));
        self.written = 0;
        // Reports the whole write as done. What the socket does not accept now is written before the next write or flush.
        if let Poll::Ready(Err(error)) = self.poll_pending(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Returns the status if the bytes are an error response of the protocol layer: a client error without a body and
/// without the request id that our own responses have.
fn bare_error_status(bytes: &[u8]) -> Option<StatusCode> {
    let status =
        bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    let status = StatusCode::from_bytes(status).ok().filter(StatusCode::is_client_error)?;
    let head = str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?.to_ascii_lowercase();
    let is_bare = head.contains("\r\ncontent-length: 0") && !head.contains("\r\nx-request-id:");
    is_bare.then_some(status)
}

fn error_response_bytes(status: StatusCode, id: &RequestId, problem: &Problem) -> Vec<u8> {
    let body = serde_json::to_string(problem).unwrap_or_default();
    format!(
        "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nx-request-id: {id}\r\n\
         x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n{body}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        Problem::MEDIA_TYPE,
        body.len(),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_error_without_a_body_and_a_request_id_is_bare() {
        let bytes = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        assert_eq!(bare_error_status(bytes), Some(StatusCode::REQUEST_TIMEOUT));
    }

    #[rstest]
    #[case::a_response_of_a_route(
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-request-id: a\r\n\r\n"
    )]
    #[case::a_response_with_a_body("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}")]
    #[case::a_success("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
    #[case::part_of_a_body("HTTP/1.1 is a protocol")]
    #[case::nothing("")]
    fn everything_except_bare_errors_is_written_unchanged(#[case] bytes: &str) {
        assert_eq!(bare_error_status(bytes.as_bytes()), None);
    }
}
