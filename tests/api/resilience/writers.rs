//! People who write without a pause, and remember what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grateful_tests::{
    ApiRequest, ApiResponse, Client, Server, SqlConnection, Token, eventually, json,
};
use tokio::task::JoinSet;

/// Some people who publish, hide, show and delete posts, each as fast as the server answers.
pub(crate) struct Writers {
    tasks: JoinSet<Memory>,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

/// What somebody was told for certain.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Posts that are there, and whether they are public.
    there: BTreeMap<String, bool>,
    /// Posts that are gone.
    gone: BTreeSet<String>,
}

impl Writers {
    /// Lets each of these people write on connections of their own.
    pub(crate) fn on(server: &Server, people: &[Token]) -> Self {
        let (heard, enough) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        for author in people {
            let writer = Writer {
                client: server.client(),
                author: author.clone(),
                heard: Arc::clone(&heard),
                enough: Arc::clone(&enough),
                memory: Memory::default(),
            };
            tasks.spawn(writer.run());
        }
        Self { tasks, heard, enough }
    }

    /// Waits until they were told of so many more successes.
    pub(crate) async fn hear(&self, more: usize) {
        let goal = self.heard.load(Ordering::Relaxed) + more;
        let heard = || goal <= self.heard.load(Ordering::Relaxed);
        eventually("the server acknowledges writes", heard).await;
    }

    /// What all of them remember, when they have stopped, be it that they were told to or that the server is gone.
    pub(crate) async fn stop(mut self) -> Memory {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Memory::default();
        while let Some(memory) = self.tasks.join_next().await {
            all.add(memory.unwrap());
        }
        all
    }
}

impl Memory {
    pub(crate) fn add(&mut self, more: Self) {
        self.there.extend(more.there);
        self.gone.extend(more.gone);
    }

    /// How many things it knows.
    pub(crate) fn len(&self) -> usize {
        self.there.len() + self.gone.len()
    }

    /// Asks the database whether all of it is true, and whether the counters equal the rows.
    pub(crate) async fn assert_true_in(&self, sql: &SqlConnection) {
        let public = sql.query_column("SELECT id FROM posts WHERE is_public").await;
        let private = sql.query_column("SELECT id FROM posts WHERE NOT is_public").await;
        let rows = public.into_iter().map(|id| (id, true));
        let rows: BTreeMap<_, _> = rows.chain(private.into_iter().map(|id| (id, false))).collect();

        let lost: Vec<_> =
            self.there.iter().filter(|(id, public)| rows.get(*id) != Some(public)).collect();
        assert!(lost.is_empty(), "acknowledged, and not so: {lost:?}");
        let back: Vec<_> = self.gone.iter().filter(|id| rows.contains_key(*id)).collect();
        assert!(back.is_empty(), "deleted, and still there: {back:?}");
        assert_eq!(sql.find_post_count_mismatches().await, [] as [String; 0]);
    }
}

struct Writer {
    client: Client,
    author: Token,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
    memory: Memory,
}

impl Writer {
    async fn run(mut self) -> Memory {
        let mut turn = 0;
        while !self.enough.load(Ordering::Relaxed) && self.write(turn).await.is_ok() {
            turn += 1;
        }
        self.memory
    }

    /// One post and what becomes of it. What is under way is forgotten until its answer is here.
    async fn write(&mut self, turn: usize) -> Result<(), Gone> {
        let public = turn.is_multiple_of(2);
        let post = json!({"content": format!("For turn {turn}."), "is_public": public});
        let published = self.tell(self.client.post("/api/v1/posts").json(&post), 201).await?;
        let Some(published) = published else { return Ok(()) };
        let (id, path) = (published.id(), format!("/api/v1/posts/{}", published.id()));
        self.memory.there.insert(id.clone(), public);
        if turn.is_multiple_of(3) {
            self.memory.there.remove(&id);
            let turned = self.client.patch(&path).json(&json!({"is_public": !public}));
            if self.tell(turned, 200).await?.is_some() {
                self.memory.there.insert(id.clone(), !public);
            }
        }
        if turn.is_multiple_of(5) {
            self.memory.there.remove(&id);
            if self.tell(self.client.delete(&path), 204).await?.is_some() {
                self.memory.gone.insert(id);
            }
        }
        Ok(())
    }

    /// The answer, if it is a success; none where the server asks to come back later.
    async fn tell(&self, call: ApiRequest, success: u16) -> Result<Option<ApiResponse>, Gone> {
        let response = call.by(&self.author).try_send().await.map_err(|_| Gone)?;
        if response.status == 503 {
            response.expect_problem(503, "unavailable");
            return Ok(None);
        }
        self.heard.fetch_add(1, Ordering::Relaxed);
        Ok(Some(response.expect(success)))
    }
}

/// There is no server any more.
struct Gone;
