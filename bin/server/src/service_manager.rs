//! What the server reports to systemd: that it is ready, that it stops, and that it still answers. Without the variables
//! that systemd sets for such a service (`Type=notify`), nothing is sent.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIVENESS_REQUEST: &[u8] =
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nUser-Agent: grateful-watchdog\r\nConnection: close\r\n\r\n";

/// The beginning of the response of a server that is alive.
const ALIVE: &[u8] = b"HTTP/1.1 200";

/// Reports that the server answers requests at this URL.
pub(crate) fn report_ready(url: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(&format!("Serving {url}"))]);
}

/// Reports what the server does, for `systemctl status`.
pub(crate) fn report_status(status: &str) {
    notify(&[NotifyState::Status(status)]);
}

/// Reports that the server finishes its requests and then exits.
pub(crate) fn report_stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("Finishing requests in flight")]);
}

/// Reports that the server is alive as long as it answers `/livez` at this address, three times per watchdog timeout. A
/// server that stops answering is restarted by systemd after that time. Never returns; without a watchdog it does nothing.
pub(crate) async fn feed_watchdog(address: SocketAddr) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return pending().await };
    let mut interval = tokio::time::interval((limit / 3).max(Duration::from_millis(1)));
    loop {
        interval.tick().await;
        if timeout(interval.period(), is_alive(address)).await.unwrap_or(false) {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::warn!("This server did not answer its own watchdog in time");
        }
    }
}

/// Whether a server at this address answers `/livez` with status 200.
async fn is_alive(address: SocketAddr) -> bool {
    let request = async {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(LIVENESS_REQUEST).await?;
        let mut start = [0; ALIVE.len()];
        connection.read_exact(&mut start).await?;
        Ok::<_, std::io::Error>(start == ALIVE)
    };
    request.await.unwrap_or(false)
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "The service manager could not be notified");
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The address of a server that answers one request with these bytes.
    async fn server_that_answers(response: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; LIVENESS_REQUEST.len()];
            connection.read_exact(&mut request).await.unwrap();
            connection.write_all(response).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn only_a_server_that_answers_with_200_is_alive() {
        let alive = server_that_answers(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let failing = server_that_answers(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        let interrupted = server_that_answers(b"HTTP/1.1 20").await;
        let stopped = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();

        assert!(is_alive(alive).await);
        for address in [failing, interrupted, stopped] {
            assert!(!is_alive(address).await, "{address}");
        }
    }
}
