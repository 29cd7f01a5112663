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
async fn queries_that_differ_in_case_and_spaces_share_a_cache_entry() {
    let stub = Stub::responding_with(ok(RAIN)).await;
    let nominatim =
        Nominatim::new(NominatimConfig { min_interval: Duration::ZERO, ..stub.config() });

    for typed in ["New York", "new  york", " NEW YORK "] {
        nominatim.geocode(&query(typed), 3).await.unwrap();
    }
    assert_eq!(stub.requests().len(), 1);
    nominatim.geocode(&query("New York"), 4).await.unwrap();
    nominatim.geocode(&query("New Yor"), 3).await.unwrap();

    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn concurrent_identical_queries_share_one_request() {
    let stub = Stub::responding_with(ok(RAIN)).await;
    let nominatim = Arc::new(Nominatim::new(stub.config()));

    let tasks = [(); 20].map(|()| {
        let nominatim = Arc::clone(&nominatim);
        tokio::spawn(async move { nominatim.geocode(&query("Rain"), 3).await.unwrap().len() })
    });
    for task in tasks {
        assert_eq!(task.await.unwrap(), 1);
    }

    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn an_expired_result_is_requested_again() {
    let stub = Stub::responding_with(ok(RAIN)).await;
    let cache_ttl = Duration::from_millis(1);
    let config = NominatimConfig { min_interval: Duration::ZERO, cache_ttl, ..stub.config() };
    let nominatim = Nominatim::new(config);

    let request_twice = async {
        while stub.requests().len() < 2 {
            nominatim.geocode(&query("Rain"), 3).await.unwrap();
        }
    };

    tokio::time::timeout(Duration::from_secs(10), request_twice).await.unwrap();
}

#[tokio::test]
async fn a_query_that_would_wait_too_long_for_the_throttle_times_out() {
    let stub = Stub::responding_with(ok(RAIN)).await;
    let min_interval = Duration::from_hours(1);
    let nominatim = Nominatim::new(NominatimConfig { min_interval, ..stub.config() });
    nominatim.geocode(&query("Rain"), 3).await.unwrap();

    let error = nominatim.geocode(&query("Bray"), 3).await.unwrap_err();

    assert!(matches!(error, GeocoderError::TimedOut), "{error}");
    assert_eq!(stub.requests().len(), 1);
    // A cached result needs no request.
    nominatim.geocode(&query("Rain"), 3).await.unwrap();
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
async fn an_invalid_response_is_an_error_and_is_not_cached() {
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
        let config = NominatimConfig { min_interval: Duration::ZERO, ..stub.config() };
        let nominatim = Nominatim::new(config);

        for request_count in 1..=2 {
            let error = nominatim.geocode(&query("Rain"), 3).await.unwrap_err();
            assert!(matches!(error, GeocoderError::InvalidResponse(_)), "{error}: {response:.80}");
            assert_eq!(
                stub.requests().len(),
                request_count,
                "a redirect is not followed: {response:.80}"
            );
        }
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
