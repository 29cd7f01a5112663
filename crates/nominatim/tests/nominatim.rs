//! Against a server of our own on loopback: the public one is never asked.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use grateful_application::{Geocoder, GeocoderError};
use grateful_domain::LocationQuery;
use grateful_nominatim::{Nominatim, NominatimConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const RAIN: &str = r#"[{"display_name": "Rain", "lat": "48.69", "lon": "10.91"}]"#;

#[tokio::test]
async fn a_request_says_who_asks_and_what_for() {
    let stub = Stub::answering(ok(RAIN)).await;
    let nominatim =
        Nominatim::new(NominatimConfig { base_url: stub.below("/maps/"), ..stub.config() });

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
async fn the_same_is_asked_once_however_it_is_typed() {
    let stub = Stub::answering(ok(RAIN)).await;
    let nominatim = Nominatim::new(NominatimConfig { interval: Duration::ZERO, ..stub.config() });

    for typed in ["New York", "new  york", " NEW YORK "] {
        nominatim.geocode(&query(typed), 3).await.unwrap();
    }
    assert_eq!(stub.requests().len(), 1);
    nominatim.geocode(&query("New York"), 4).await.unwrap();
    nominatim.geocode(&query("New Yor"), 3).await.unwrap();

    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn those_who_ask_the_same_at_once_share_one_request() {
    let stub = Stub::answering(ok(RAIN)).await;
    let nominatim = Arc::new(Nominatim::new(stub.config()));

    let asking = [(); 20].map(|()| {
        let nominatim = Arc::clone(&nominatim);
        tokio::spawn(async move { nominatim.geocode(&query("Rain"), 3).await.unwrap().len() })
    });
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 1);
    }

    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_asked_for_anew() {
    let stub = Stub::answering(ok(RAIN)).await;
    let kept_for = Duration::from_millis(1);
    let config = NominatimConfig { interval: Duration::ZERO, kept_for, ..stub.config() };
    let nominatim = Nominatim::new(config);

    let asked_twice = async {
        while stub.requests().len() < 2 {
            nominatim.geocode(&query("Rain"), 3).await.unwrap();
        }
    };

    tokio::time::timeout(Duration::from_secs(10), asked_twice).await.unwrap();
}

#[tokio::test]
async fn whoever_comes_before_the_second_is_over_waits_or_is_told_to_come_back() {
    let stub = Stub::answering(ok(RAIN)).await;
    let interval = Duration::from_hours(1);
    let nominatim = Nominatim::new(NominatimConfig { interval, ..stub.config() });
    nominatim.geocode(&query("Rain"), 3).await.unwrap();

    let refused = nominatim.geocode(&query("Bray"), 3).await.unwrap_err();

    assert!(matches!(refused, GeocoderError::TimedOut), "{refused}");
    assert_eq!(stub.requests().len(), 1);
    // What is known needs no turn.
    nominatim.geocode(&query("Rain"), 3).await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let stub = Stub::silent().await;
    let timeout = Duration::from_millis(50);
    let nominatim = Nominatim::new(NominatimConfig { timeout, ..stub.config() });

    let refused = nominatim.geocode(&query("Rain"), 3).await.unwrap_err();

    assert!(matches!(refused, GeocoderError::TimedOut), "{refused}");
}

#[tokio::test]
async fn an_answer_that_is_not_one_is_told_as_such_and_not_kept() {
    let huge = format!("[{}]", " ".repeat(300 * 1024));
    for answer in [
        ok("<html>"),
        ok("{\"error\": \"busy\"}"),
        ok(&huge),
        endless(),
        with_status("500 Internal Server Error"),
        with_status("429 Too Many Requests"),
        with_status("302 Found\r\nLocation: /elsewhere"),
    ] {
        let stub = Stub::answering(answer.clone()).await;
        let config = NominatimConfig { interval: Duration::ZERO, ..stub.config() };
        let nominatim = Nominatim::new(config);

        for asked in 1..=2 {
            let refused = nominatim.geocode(&query("Rain"), 3).await.unwrap_err();
            assert!(
                matches!(refused, GeocoderError::InvalidResponse(_)),
                "{refused}: {answer:.80}"
            );
            assert_eq!(stub.requests().len(), asked, "a redirect is not followed: {answer:.80}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base_url = format!("http://{closed}").parse().unwrap();
    let nominatim = Nominatim::new(NominatimConfig::new(base_url, "grateful-tests"));

    let refused = nominatim.geocode(&query("Rain am Lech"), 3).await.unwrap_err();

    assert!(matches!(refused, GeocoderError::Unreachable(_)), "{refused}");
    let told = format!("{refused:?}");
    assert!(!told.contains("Lech"), "what somebody looks for is in no log: {told}");
}

fn query(words: &str) -> LocationQuery {
    LocationQuery::parse(words).unwrap()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// More than is read, of a length that is not said.
fn endless() -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "[".repeat(2 * 1024 * 1024))
}

fn with_status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")
}

/// A server that answers everything alike, and remembers what it was asked. It ends with its test.
struct Stub {
    address: std::net::SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    async fn answering(answer: String) -> Self {
        Self::start(Some(answer)).await
    }

    async fn silent() -> Self {
        Self::start(None).await
    }

    async fn start(answer: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hear = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), Arc::clone(&hear)));
            }
        });
        Self { address, heard }
    }

    fn below(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    fn config(&self) -> NominatimConfig {
        NominatimConfig::new(self.below(""), "grateful-tests (+https://grateful.example)")
    }

    fn requests(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// One answer on each connection.
async fn serve(mut stream: TcpStream, answer: Option<String>, heard: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.is_ok_and(|read| read == 0) {
            return;
        }
    }
    heard.lock().unwrap().push(String::from_utf8(request).unwrap());
    match answer {
        Some(answer) => _ = stream.write_all(answer.as_bytes()).await,
        None => std::future::pending().await,
    }
}
