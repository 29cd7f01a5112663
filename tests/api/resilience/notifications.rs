//! Kills of the server and of PostgreSQL while users add and remove hearts and reactions on one post and its author follows the
//! notification stream.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grateful_tests::{
    ApiRequest, Client, Server, Setup, SqlConnection, Token, eventually, full_or_short, json,
};
use tokio::task::JoinSet;

use super::stream_client::StreamClient;

const USERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_server_is_killed_notifications_match_the_acknowledged_reactions() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let author = server.client().sign_up("author").await;
    let post = server.client().create_post(&author, "For rain.").send().await.expect(201).id();
    let users = create_users(&server).await;
    let mut stream = StreamClient::connect(&server, &author).await;
    let mut known = vec![KnownState::default(); USERS];
    let rounds = full_or_short(20, 4);

    for round in 0..rounds {
        let load = ReactionLoad::start(&server, &post, &users, &known);
        load.wait_for_requests(100).await;
        if round % 3 == 1 {
            server
                .client()
                .post("/api/v1/notifications/read-all")
                .by(&author)
                .send()
                .await
                .expect(200);
        }
        server.kill().await;
        known = load.stop().await;
        server = setup.start().await;
        stream.reconnect(&server).await;
    }

    let sql = setup.sql().await;
    assert_rows_match(&sql, &known).await;
    setup.run(&["verify"]).expect(0);
    let list = server.client().get("/api/v1/notifications?limit=100").by(&author).send().await;
    let list = list.expect(200).json();
    let is_same_list = stream.wait_for_list(&list).await;
    assert_eq!(is_same_list, Ok(()));
    let acknowledged: usize = known.iter().map(|state| state.acknowledged).sum();
    println!(
        "{rounds} kills of the server, {acknowledged} acknowledged requests, {} events, all consistent",
        stream.event_count()
    );
}

/// The server answers 503 while PostgreSQL restarts, also for acts that were in one transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_postgresql_is_killed_notifications_match_the_acknowledged_reactions() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let author = server.client().sign_up("author").await;
    let post = server.client().create_post(&author, "For rain.").send().await.expect(201).id();
    let users = create_users(&server).await;
    let rounds = full_or_short(5, 2);

    let load = ReactionLoad::start(&server, &post, &users, &vec![KnownState::default(); USERS]);
    for _ in 0..rounds {
        load.wait_for_requests(100).await;
        setup.working_dir().kill_postgres().await;
        load.wait_for_requests(1).await;
    }
    load.wait_for_requests(100).await;
    let known = load.stop().await;

    assert_rows_match(&setup.sql().await, &known).await;
    setup.run(&["verify"]).expect(0);
    let acknowledged: usize = known.iter().map(|state| state.acknowledged).sum();
    println!("{rounds} kills of PostgreSQL, {acknowledged} acknowledged requests, all consistent");
}

/// The state of one user's heart and reaction, from responses. Both are unknown while a request is in flight, and after one
/// that the server could not acknowledge.
#[derive(Debug, Clone, Default)]
struct KnownState {
    is_hearted: Option<bool>,
    /// The emoji code, or an empty text for no reaction.
    emoji: Option<&'static str>,
    acknowledged: usize,
}

/// Asserts that hearts and reactions are stored as acknowledged, and that each of them has exactly one notification.
async fn assert_rows_match(sql: &SqlConnection, known: &[KnownState]) {
    let hearts: HashSet<String> =
        sql.query_column("SELECT user_id FROM likes").await.into_iter().collect();
    let reactions =
        sql.query_column("SELECT user_id || ' ' || emoji_code FROM emoji_reactions").await;
    let heart_notifications =
        sql.query_column("SELECT actor_id FROM notifications WHERE type = 'like' ORDER BY 1").await;
    let reaction_notifications = sql
        .query_column(
            "SELECT actor_id || ' ' || (data ->> 'emoji_code') FROM notifications
             WHERE type = 'emoji_reaction' ORDER BY 1",
        )
        .await;
    for (number, state) in known.iter().enumerate() {
        // Ids start at 1, which is the author's.
        let id = (number + 2).to_string();
        if let Some(is_hearted) = state.is_hearted {
            assert_eq!(hearts.contains(&id), is_hearted, "user {id}: {state:?}");
        }
        if let Some(emoji) = state.emoji {
            let prefix = format!("{id} ");
            let stored = reactions.iter().find_map(|reaction| reaction.strip_prefix(&prefix));
            assert_eq!(stored.unwrap_or_default(), emoji, "user {id}: {state:?}");
        }
    }
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts
    };
    assert_eq!(sorted(heart_notifications), sorted(hearts.into_iter().collect()));
    assert_eq!(sorted(reaction_notifications), sorted(reactions));
}

async fn create_users(server: &Server) -> Vec<Token> {
    let client = server.client();
    let mut users = Vec::new();
    for number in 0..USERS {
        users.push(client.sign_up(&format!("user_{number}")).await);
    }
    users
}

/// Concurrent users who react to one post, each as fast as the server responds.
struct ReactionLoad {
    tasks: JoinSet<(usize, KnownState)>,
    acknowledged: Arc<AtomicUsize>,
    should_stop: Arc<AtomicBool>,
}

impl ReactionLoad {
    fn start(server: &Server, post: &str, users: &[Token], known: &[KnownState]) -> Self {
        let (acknowledged, should_stop) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        for (number, (token, state)) in users.iter().zip(known).enumerate() {
            let user = ReactingUser {
                client: server.client(),
                token: token.clone(),
                post: format!("/api/v1/posts/{post}"),
                state: state.clone(),
                acknowledged: Arc::clone(&acknowledged),
                should_stop: Arc::clone(&should_stop),
            };
            tasks.spawn(async move { (number, user.run(number).await) });
        }
        Self { tasks, acknowledged, should_stop }
    }

    /// Waits until the server has acknowledged this number of further requests.
    async fn wait_for_requests(&self, count: usize) {
        let target = self.acknowledged.load(Ordering::Relaxed) + count;
        let is_reached = || target <= self.acknowledged.load(Ordering::Relaxed);
        eventually("the server acknowledges reactions", is_reached).await;
    }

    /// Stops all users and returns their states in order. Users also stop when the server exits.
    async fn stop(mut self) -> Vec<KnownState> {
        self.should_stop.store(true, Ordering::Relaxed);
        let mut known = BTreeMap::new();
        while let Some(user) = self.tasks.join_next().await {
            known.extend([user.unwrap()]);
        }
        known.into_values().collect()
    }
}

struct ReactingUser {
    client: Client,
    token: Token,
    post: String,
    state: KnownState,
    acknowledged: Arc<AtomicUsize>,
    should_stop: Arc<AtomicBool>,
}

impl ReactingUser {
    /// Adds and removes a heart and a reaction in turn, starting with step `number`, until the server exits or the load
    /// stops.
    async fn run(mut self, number: usize) -> KnownState {
        for step in number.. {
            if self.should_stop.load(Ordering::Relaxed) || self.react(step).await.is_none() {
                break;
            }
        }
        self.state
    }

    async fn react(&mut self, step: usize) -> Option<()> {
        let (heart, reactions) =
            (format!("{}/heart", self.post), format!("{}/reactions", self.post));
        let emoji = ["hug", "fire", "star"][step % 3];
        match step % 5 {
            0 | 1 => {
                self.state.is_hearted = None;
                if self.send(self.client.post(&heart), &[201, 409]).await? {
                    self.state.is_hearted = Some(true);
                }
            }
            2 => {
                self.state.is_hearted = None;
                if self.send(self.client.delete(&heart), &[200, 404]).await? {
                    self.state.is_hearted = Some(false);
                }
            }
            3 => {
                self.state.emoji = None;
                let request = self.client.post(&reactions).json(&json!({"emoji_code": emoji}));
                if self.send(request, &[201]).await? {
                    self.state.emoji = Some(emoji);
                }
            }
            _ => {
                self.state.emoji = None;
                if self.send(self.client.delete(&reactions), &[204, 404]).await? {
                    self.state.emoji = Some("");
                }
            }
        }
        Some(())
    }

    /// Sends a request and asserts its status. Returns whether the server acknowledged it; otherwise it answered 503. Returns
    /// `None` if the server exited before it sent a response.
    async fn send(&mut self, request: ApiRequest, expected: &[u16]) -> Option<bool> {
        let response = request.by(&self.token).try_send().await.ok()?;
        if response.status == 503 {
            assert_eq!(response.header("retry-after"), Some("1"));
            return Some(false);
        }
        assert!(expected.contains(&response.status), "{response}");
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.state.acknowledged += 1;
        Some(true)
    }
}
