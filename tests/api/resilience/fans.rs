//! People who answer one post without a pause, somebody who follows what they are told of it, and a server that is killed
//! under them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grateful_tests::{
    ApiRequest, Client, Server, Setup, SqlConnection, Token, eventually, full_or_short, json,
};
use tokio::task::JoinSet;

use super::follower::Follower;

const FANS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_has_told_exactly_what_was_done() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let author = server.client().sign_up("author").await;
    let post = server.client().create_post(&author, "For rain.").send().await.expect(201).id();
    let fans = fans(&server).await;
    let mut follower = Follower::begin(&server, &author).await;
    let mut known = vec![Known::default(); FANS];
    let rounds = full_or_short(20, 4);

    for round in 0..rounds {
        let crowd = Crowd::on(&server, &post, &fans, &known);
        crowd.hear(100).await;
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
        known = crowd.stop().await;
        server = setup.start().await;
        follower.go_on(&server).await;
    }

    let sql = setup.sql().await;
    assert_told(&sql, &known).await;
    setup.run(&["verify"]).expect(0);
    let list = server.client().get("/api/v1/notifications?limit=100").by(&author).send().await;
    let list = list.expect(200).json();
    let sees_all = follower.sees(&list).await;
    assert_eq!(sees_all, Ok(()));
    let heard: usize = known.iter().map(|known| known.heard).sum();
    println!(
        "{rounds} kills of the server, {heard} acknowledged acts, {} events, all true",
        follower.events()
    );
}

/// What a fan was told for certain. While an act is under way, nothing is certain about it.
#[derive(Debug, Clone, Default)]
struct Known {
    hearted: Option<bool>,
    /// The code; none is empty.
    emoji: Option<&'static str>,
    heard: usize,
}

/// Every certain heart and emoji is there and told once, and what was certainly taken back is neither.
async fn assert_told(sql: &SqlConnection, known: &[Known]) {
    let hearts: HashSet<String> =
        sql.query_column("SELECT user_id FROM likes").await.into_iter().collect();
    let emoji = sql.query_column("SELECT user_id || ' ' || emoji_code FROM emoji_reactions").await;
    let told_hearts =
        sql.query_column("SELECT actor_id FROM notifications WHERE type = 'like' ORDER BY 1").await;
    let told_emoji = sql
        .query_column(
            "SELECT actor_id || ' ' || (data ->> 'emoji_code') FROM notifications
             WHERE type = 'emoji_reaction' ORDER BY 1",
        )
        .await;
    for (number, known) in known.iter().enumerate() {
        // The author came first.
        let id = (number + 2).to_string();
        if let Some(hearted) = known.hearted {
            assert_eq!(hearts.contains(&id), hearted, "fan {id}: {known:?}");
        }
        if let Some(left) = known.emoji {
            let found = emoji.iter().find_map(|it| it.strip_prefix(&format!("{id} ")));
            assert_eq!(found.unwrap_or_default(), left, "fan {id}: {known:?}");
        }
    }
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts
    };
    assert_eq!(sorted(told_hearts), sorted(hearts.into_iter().collect()));
    assert_eq!(sorted(told_emoji), sorted(emoji));
}

async fn fans(server: &Server) -> Vec<Token> {
    let client = server.client();
    let mut fans = Vec::new();
    for number in 0..FANS {
        fans.push(client.sign_up(&format!("fan_{number}")).await);
    }
    fans
}

/// All fans, each as fast as the server answers.
struct Crowd {
    tasks: JoinSet<(usize, Known)>,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Crowd {
    fn on(server: &Server, post: &str, fans: &[Token], known: &[Known]) -> Self {
        let (heard, enough) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        for (number, (token, known)) in fans.iter().zip(known).enumerate() {
            let fan = Fan {
                client: server.client(),
                token: token.clone(),
                post: format!("/api/v1/posts/{post}"),
                known: known.clone(),
                heard: Arc::clone(&heard),
                enough: Arc::clone(&enough),
            };
            tasks.spawn(async move { (number, fan.run(number).await) });
        }
        Self { tasks, heard, enough }
    }

    async fn hear(&self, more: usize) {
        let goal = self.heard.load(Ordering::Relaxed) + more;
        let heard = || goal <= self.heard.load(Ordering::Relaxed);
        eventually("the server acknowledges acts", heard).await;
    }

    async fn stop(mut self) -> Vec<Known> {
        self.enough.store(true, Ordering::Relaxed);
        let mut known = BTreeMap::new();
        while let Some(fan) = self.tasks.join_next().await {
            known.extend([fan.unwrap()]);
        }
        known.into_values().collect()
    }
}

struct Fan {
    client: Client,
    token: Token,
    post: String,
    known: Known,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

impl Fan {
    /// Hearts and emoji in turn, given and taken back, until the server is gone or it is enough.
    async fn run(mut self, number: usize) -> Known {
        for turn in number.. {
            if self.enough.load(Ordering::Relaxed) || self.act(turn).await.is_none() {
                break;
            }
        }
        self.known
    }

    async fn act(&mut self, turn: usize) -> Option<()> {
        let (heart, reactions) =
            (format!("{}/heart", self.post), format!("{}/reactions", self.post));
        let emoji = ["hug", "fire", "star"][turn % 3];
        match turn % 5 {
            0 | 1 => {
                self.known.hearted = None;
                self.tell(self.client.post(&heart), &[201, 409]).await?;
                self.known.hearted = Some(true);
            }
            2 => {
                self.known.hearted = None;
                self.tell(self.client.delete(&heart), &[200, 404]).await?;
                self.known.hearted = Some(false);
            }
            3 => {
                self.known.emoji = None;
                let left = self.client.post(&reactions).json(&json!({"emoji_code": emoji}));
                self.tell(left, &[201]).await?;
                self.known.emoji = Some(emoji);
            }
            _ => {
                self.known.emoji = None;
                self.tell(self.client.delete(&reactions), &[204, 404]).await?;
                self.known.emoji = Some("");
            }
        }
        Some(())
    }

    /// Nothing where the server is gone.
    async fn tell(&mut self, call: ApiRequest, fine: &[u16]) -> Option<()> {
        let response = call.by(&self.token).try_send().await.ok()?;
        assert!(fine.contains(&response.status), "{response}");
        self.heard.fetch_add(1, Ordering::Relaxed);
        self.known.heard += 1;
        Some(())
    }
}
