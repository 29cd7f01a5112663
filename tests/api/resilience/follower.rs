//! Somebody who follows their notifications, and keeps a list of their own by what the stream says. No tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grateful_tests::{Client, Server, TIMEOUT, Token, Value};
use tokio::task::JoinHandle;

/// One who goes on where they were after whatever cuts the stream.
pub(crate) struct Follower {
    token: Token,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    last: Option<String>,
    list: BTreeMap<String, Value>,
    events: usize,
}

impl Follower {
    pub(crate) async fn begin(server: &Server, token: &Token) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let task = Self::follow(server, token, &seen).await;
        Self { token: token.clone(), seen, task }
    }

    /// Goes on behind the last event, on another server.
    pub(crate) async fn go_on(&mut self, server: &Server) {
        // The old stream ends with its server, and not before all that came of it is read.
        (&mut self.task).await.unwrap();
        self.task = Self::follow(server, &self.token, &self.seen).await;
    }

    /// How many events there were.
    pub(crate) fn events(&self) -> usize {
        self.seen.lock().unwrap().events
    }

    /// Waits until the list by the stream is this one.
    pub(crate) async fn sees(&self, list: &Value) -> Result<(), String> {
        let by_id = |it: &Value| (it["id"].as_str().unwrap().to_owned(), it.clone());
        let wanted: BTreeMap<String, Value> = list.as_array().unwrap().iter().map(by_id).collect();
        let begun = Instant::now();
        loop {
            let seen = self.seen.lock().unwrap().list.clone();
            if seen == wanted {
                return Ok(());
            }
            if TIMEOUT < begun.elapsed() {
                return Err(format!("{seen:#?}\nis not\n{wanted:#?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn follow(server: &Server, token: &Token, seen: &Arc<Mutex<Seen>>) -> JoinHandle<()> {
        let client: Client = server.client();
        let last = seen.lock().unwrap().last.clone();
        let mut call = client.get("/api/v1/notifications/stream").by(token);
        if let Some(last) = &last {
            call = call.header("Last-Event-ID", last);
        }
        let mut events = call.open_event_stream().await.unwrap();
        let seen = Arc::clone(seen);
        tokio::spawn(async move {
            while let Some(event) = events.next_event().await {
                seen.lock().unwrap().take(&event);
            }
        })
    }
}

impl Seen {
    fn take(&mut self, event: &BTreeMap<String, String>) {
        if let Some(id) = event.get("id") {
            let number = |id: &str| id.parse::<i64>().unwrap();
            let is_news = event.contains_key("data");
            let before = self.last.replace(id.clone());
            let grows = before.as_deref().is_none_or(|last| number(last) < number(id));
            assert!(grows || !is_news, "{event:?} was said before");
        }
        let Some(data) = event.get("data") else { return };
        self.events += 1;
        let data: Value = data.parse().unwrap();
        let id = data["id"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str() {
            "notification" => _ = self.list.insert(id, data),
            "removed" => _ = self.list.remove(&id),
            other => panic!("{other}: nobody was away for a day"),
        }
    }
}
