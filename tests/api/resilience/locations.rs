//! Searches for locations on several nodes, and the requests that reach Nominatim.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_tests::{Client, Server, Setup, Token, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Instead of a second, so that the test is quick.
const INTERVAL: Duration = Duration::from_millis(50);

#[tokio::test]
async fn nodes_send_one_request_per_interval_in_all_and_none_for_what_another_has_found() {
    let nominatim = NominatimStub::start().await;
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_NOMINATIM_URL", nominatim.url.as_str())
        .env("GRATEFUL_NOMINATIM_INTERVAL_MS", INTERVAL.as_millis());
    let nodes = [setup.start().await, setup.start().await, setup.start().await];
    let clients = nodes.each_ref().map(Server::client);
    let ana = clients[0].sign_up("ana").await;
    let start = Instant::now();

    let found = join_all((0..30).map(|place| search(&clients[place % 3], &ana, place))).await;
    let requests = nominatim.requests();
    let again = join_all((0..30).map(|place| search(&clients[(place + 1) % 3], &ana, place))).await;

    assert_eq!(requests.len(), 30);
    for (number, request) in (0..).zip(&requests) {
        assert!(INTERVAL * number <= *request - start, "{number}: {requests:?}");
    }
    assert_eq!(found[7][0]["display_name"], "Rain");
    assert_eq!(again, found);
    assert_eq!(nominatim.requests(), requests);
}

async fn search(client: &Client, user: &Token, place: usize) -> Value {
    let search = client.post("/api/v1/users/location/search").by(user);
    let response = search.json(&json!({"query": format!("Place {place}")})).send().await;
    response.expect(200).json()["data"].take()
}

/// A Nominatim server that finds the same place for each query, and records when requests arrive.
struct NominatimStub {
    url: String,
    requests: Arc<Mutex<Vec<Instant>>>,
}

impl NominatimStub {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Instant>>>::default();
        let recorded = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&recorded)));
            }
        });
        Self { url, requests }
    }

    /// The times of the requests so far, in order.
    fn requests(&self) -> Vec<Instant> {
        let mut requests = self.requests.lock().unwrap().clone();
        requests.sort();
        requests
    }
}

/// Answers one request.
async fn answer(mut stream: TcpStream, requests: Arc<Mutex<Vec<Instant>>>) {
    const BODY: &str = r#"[{"display_name": "Rain", "lat": "48.69", "lon": "10.91"}]"#;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.is_ok_and(|read| read == 0) {
            return;
        }
    }
    requests.lock().unwrap().push(Instant::now());
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}", BODY.len());
    _ = stream.write_all(format!("{head}\r\n\r\n{BODY}").as_bytes()).await;
}
