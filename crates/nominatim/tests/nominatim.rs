//! Tests against a stub server on loopback. No request goes to the public server.

#![expect(clippy::unwrap_used, reason = "setup that fails must fail the test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use grateful_application::{Geocoder, GeocoderError};
use grateful_domain::LocationQuery;
use grateful_nominatim::{Nominatim, NominatimConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const RAIN: &str = r#"[{"display_name": "Rain", "lat": "48.69", "lon": "10.91"}]"#;

#[tokio::test]
async fn a_request_contains_the_query_and_the_user_agent() {
    let stub = Stub::responding_with(ok(RAIN)).await;
    let nominatim =
        Nominatim::new(NominatimConfig { base_url: stub.url("/maps/"), ..stub.config() });

    let found = nominatim.geocode(&query("Rain am Lech & Umgebung"), 3).await.unwrap();

    assert_eq!(found.len(), 1);
    let request = stub.requests().pop().unwrap();
    let line = request.lines().next().unwrap();
    let target = "/maps/search?q=Rain+am+Lech+%26+Umgebung&format=json&addressdetails=1&limit=3";
    assert_eq!(line, format!("GET {target} HTTP/1.1"));
    assert!(
        request.contains("user-agent: grateful-tests (+https://grateful.example)\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_respond_times_out() {
    let stub = Stub::silent().await;
    let timeout = Duration::from_millis(50);
    let nominatim = Nominatim::new(NominatimConfig { timeout, ..stub.config() });

    let error = nominatim.geocode(&query("Rain"), 3).await.unwrap_err();

    assert!(matches!(error, GeocoderError::TimedOut), "{error}");
}

#[tokio::test]
async fn an_invalid_response_is_an_error_and_a_redirect_is_not_followed() {
    let huge = format!("[{}]", " ".repeat(300 * 1024));
    for response in [
        ok("<html>"),
        ok("{\"error\": \"busy\"}"),
        ok(&huge),
        endless(),
        with_status("500 Internal Server Error"),
        with_status("429 Too Many Requests"),
        with_status("302 Found\r\nLocation: /elsewhere"),
    ] {
        let stub = Stub::responding_with(response.clone()).await;
        let nominatim = Nominatim::new(stub.config());

        let error = nominatim.geocode(&query("Rain"), 3).await.unwrap_err();

        assert!(matches!(error, GeocoderError::InvalidResponse(_)), "{error}: {response:.80}");
        assert_eq!(stub.requests().len(), 1, "{response:.80}");
    }
}

#[tokio::test]
async fn a_closed_port_is_reported_as_unreachable_without_the_query() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base_url = format!("http://{closed}").parse().unwrap();
    let nominatim = Nominatim::new(NominatimConfig::new(base_url, "grateful-tests"));

    let error = nominatim.geocode(&query("Rain am Lech"), 3).await.unwrap_err();

    assert!(matches!(error, GeocoderError::Unreachable(_)), "{error}");
    let debug = format!("{error:?}");
    assert!(!debug.contains("Lech"), "the query must not be logged: {debug}");
}

fn query(words: &str) -> LocationQuery {
    LocationQuery::parse(words).unwrap()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A large response without a `Content-Length`.
fn endless() -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "[".repeat(2 * 1024 * 1024))
}

fn with_status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")
}

/// A server that sends the same response to every request, and records the requests. It stops with the test.
struct Stub {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    async fn responding_with(response: String) -> Self {
        Self::start(Some(response)).await
    }

    async fn silent() -> Self {
        Self::start(None).await
    }

    async fn start(response: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let recorded = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, response.clone(), Arc::clone(&recorded)));
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    fn config(&self) -> NominatimConfig {
        NominatimConfig::new(self.url(""), "grateful-tests (+https://grateful.example)")
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Sends one response per connection.
async fn serve(mut stream: TcpStream, response: Option<String>, requests: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.is_ok_and(|read| read == 0) {
            return;
        }
    }
    requests.lock().unwrap().push(String::from_utf8(request).unwrap());
    match response {
        Some(response) => _ = stream.write_all(response.as_bytes()).await,
        None => std::future::pending().await,
    }
}
