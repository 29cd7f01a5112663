//! A client of the notification stream that reconnects, and keeps a list of notifications up to date from the events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grateful_tests::{Client, Server, TIMEOUT, Token, Value};
use tokio::task::JoinHandle;

/// Reads the stream in a task, and resumes it after the last event when it reconnects.
pub(crate) struct StreamClient {
    token: Token,
    state: Arc<Mutex<StreamState>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct StreamState {
    last_event_id: Option<String>,
    /// The notifications by id.
    list: BTreeMap<String, Value>,
    event_count: usize,
}

impl StreamClient {
    pub(crate) async fn connect(server: &Server, token: &Token) -> Self {
        let state = Arc::<Mutex<StreamState>>::default();
        let task = Self::read_stream(server, token, &state).await;
        Self { token: token.clone(), state, task }
    }

    /// Resumes after the last event, on another server.
    pub(crate) async fn reconnect(&mut self, server: &Server) {
        // The task reads all received events before it ends with its server.
        (&mut self.task).await.unwrap();
        self.task = Self::read_stream(server, &self.token, &self.state).await;
    }

    /// The number of events received so far.
    pub(crate) fn event_count(&self) -> usize {
        self.state.lock().unwrap().event_count
    }

    /// Waits until the list from the stream equals `expected`.
    pub(crate) async fn wait_for_list(&self, expected: &Value) -> Result<(), String> {
        let by_id = |notification: &Value| {
            (notification["id"].as_str().unwrap().to_owned(), notification.clone())
        };
        let expected: BTreeMap<String, Value> =
            expected.as_array().unwrap().iter().map(by_id).collect();
        let start = Instant::now();
        loop {
            let list = self.state.lock().unwrap().list.clone();
            if list == expected {
                return Ok(());
            }
            if TIMEOUT < start.elapsed() {
                return Err(format!("{list:#?}\nis not\n{expected:#?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn read_stream(
        server: &Server,
        token: &Token,
        state: &Arc<Mutex<StreamState>>,
    ) -> JoinHandle<()> {
        let client: Client = server.client();
        let last_event_id = state.lock().unwrap().last_event_id.clone();
        let mut request = client.get("/api/v1/notifications/stream").by(token);
        if let Some(id) = &last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let mut stream = request.open_event_stream().await.unwrap();
        let state = Arc::clone(state);
        tokio::spawn(async move {
            while let Some(event) = stream.next_event().await {
                state.lock().unwrap().apply(&event);
            }
        })
    }
}

impl StreamState {
    fn apply(&mut self, event: &BTreeMap<String, String>) {
        if let Some(id) = event.get("id") {
            let number = |id: &str| id.parse::<i64>().unwrap();
            let has_data = event.contains_key("data");
            let previous = self.last_event_id.replace(id.clone());
            let is_new = previous.as_deref().is_none_or(|previous| number(previous) < number(id));
            assert!(is_new || !has_data, "received twice: {event:?}");
        }
        let Some(data) = event.get("data") else { return };
        self.event_count += 1;
        let data: Value = data.parse().unwrap();
        let id = data["id"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str() {
            "notification" => _ = self.list.insert(id, data),
            "removed" => _ = self.list.remove(&id),
            // A reset is sent only to clients that were disconnected for more than a day.
            other => panic!("unexpected event: {other}"),
        }
    }
}
