//! Concurrent users who write posts, and the posts the server acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use grateful_tests::{
    ApiRequest, ApiResponse, Client, Server, SqlConnection, Token, eventually, json,
};
use tokio::task::JoinSet;

/// Concurrent users who create, hide, show and delete posts, each as fast as the server responds.
pub(crate) struct PostLoad {
    tasks: JoinSet<AcknowledgedPosts>,
    acknowledged: Arc<AtomicUsize>,
    /// The number of responses to each writer.
    responses: Vec<Arc<AtomicUsize>>,
    longest: Arc<AtomicU64>,
    should_stop: Arc<AtomicBool>,
}

/// The posts whose state is known from responses.
#[derive(Debug, Default)]
pub(crate) struct AcknowledgedPosts {
    /// Existing posts, and whether they are public.
    existing: BTreeMap<String, bool>,
    deleted: BTreeSet<String>,
}

impl PostLoad {
    /// Starts one task for each user, with connections of its own.
    pub(crate) fn start(server: &Server, users: &[Token]) -> Self {
        let (acknowledged, longest, should_stop) = (Arc::default(), Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let responses: Vec<Arc<AtomicUsize>> = users.iter().map(|_| Arc::default()).collect();
        for (author, responses) in users.iter().zip(&responses) {
            let writer = PostWriter {
                client: server.client(),
                author: author.clone(),
                acknowledged: Arc::clone(&acknowledged),
                responses: Arc::clone(responses),
                longest: Arc::clone(&longest),
                should_stop: Arc::clone(&should_stop),
                posts: AcknowledgedPosts::default(),
            };
            tasks.spawn(writer.run());
        }
        Self { tasks, acknowledged, responses, longest, should_stop }
    }

    /// Waits until the server has acknowledged this number of further writes.
    pub(crate) async fn wait_for_writes(&self, count: usize) {
        let target = self.acknowledged.load(Ordering::Relaxed) + count;
        let is_reached = || target <= self.acknowledged.load(Ordering::Relaxed);
        eventually("the server acknowledges writes", is_reached).await;
    }

    /// The number of responses to each writer so far.
    pub(crate) fn responses(&self) -> Vec<usize> {
        self.responses.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Waits until the requests that were in flight at an earlier time have ended, when each writer had this number of
    /// responses.
    pub(crate) async fn wait_for_requests_in_flight_at(&self, earlier: &[usize]) {
        let have_ended = || self.responses().iter().zip(earlier).all(|(now, then)| then < now);
        eventually("requests end", have_ended).await;
    }

    /// The longest time that a client has waited for a response.
    pub(crate) fn longest_response(&self) -> Duration {
        Duration::from_millis(self.longest.load(Ordering::Relaxed))
    }

    /// Stops all tasks and returns the posts they know of. Tasks also stop when the server exits.
    pub(crate) async fn stop(mut self) -> AcknowledgedPosts {
        self.should_stop.store(true, Ordering::Relaxed);
        let mut all = AcknowledgedPosts::default();
        while let Some(posts) = self.tasks.join_next().await {
            all.extend(posts.unwrap());
        }
        all
    }
}

impl AcknowledgedPosts {
    pub(crate) fn extend(&mut self, other: Self) {
        self.existing.extend(other.existing);
        self.deleted.extend(other.deleted);
    }

    /// The number of posts whose state is known.
    pub(crate) fn len(&self) -> usize {
        self.existing.len() + self.deleted.len()
    }

    /// Asserts that the database has the existing posts and not the deleted ones, and that the post counts equal the
    /// rows.
    pub(crate) async fn assert_stored_in(&self, sql: &SqlConnection) {
        let public = sql.query_column("SELECT id FROM posts WHERE is_public").await;
        let private = sql
            .query_column("SELECT id FROM posts WHERE NOT is_public AND deleted_at IS NULL")
            .await;
        let rows = public.into_iter().map(|id| (id, true));
        let rows: BTreeMap<_, _> = rows.chain(private.into_iter().map(|id| (id, false))).collect();

        let lost: Vec<_> = self
            .existing
            .iter()
            .filter(|(id, is_public)| rows.get(*id) != Some(is_public))
            .collect();
        assert!(lost.is_empty(), "acknowledged, but missing or changed: {lost:?}");
        let undeleted: Vec<_> = self.deleted.iter().filter(|id| rows.contains_key(*id)).collect();
        assert!(undeleted.is_empty(), "deleted, but still stored: {undeleted:?}");
        assert_eq!(sql.find_post_count_mismatches().await, [] as [String; 0]);
    }
}

struct PostWriter {
    client: Client,
    author: Token,
    acknowledged: Arc<AtomicUsize>,
    responses: Arc<AtomicUsize>,
    longest: Arc<AtomicU64>,
    should_stop: Arc<AtomicBool>,
    posts: AcknowledgedPosts,
}

impl PostWriter {
    async fn run(mut self) -> AcknowledgedPosts {
        let mut round = 0;
        while !self.should_stop.load(Ordering::Relaxed) && self.write(round).await.is_ok() {
            round += 1;
        }
        self.posts
    }

    /// Creates a post, and in some rounds changes its visibility or deletes it. The state of the post is unknown while a
    /// request is in flight.
    async fn write(&mut self, round: usize) -> Result<(), NoResponse> {
        let is_public = round.is_multiple_of(2);
        let post = json!({"content": format!("For round {round}."), "is_public": is_public});
        let created = self.send(self.client.post("/api/v1/posts").json(&post), 201).await?;
        let Some(created) = created else { return Ok(()) };
        let (id, path) = (created.id(), format!("/api/v1/posts/{}", created.id()));
        self.posts.existing.insert(id.clone(), is_public);
        if round.is_multiple_of(3) {
            self.posts.existing.remove(&id);
            let update = self.client.patch(&path).json(&json!({"is_public": !is_public}));
            if self.send(update, 200).await?.is_some() {
                self.posts.existing.insert(id.clone(), !is_public);
            }
        }
        if round.is_multiple_of(5) {
            self.posts.existing.remove(&id);
            if self.send(self.client.delete(&path), 204).await?.is_some() {
                self.posts.deleted.insert(id);
            }
        }
        Ok(())
    }

    /// Sends a request and asserts that the status is `success` or 503. Returns `None` for a 503.
    async fn send(
        &self,
        request: ApiRequest,
        success: u16,
    ) -> Result<Option<ApiResponse>, NoResponse> {
        let start = Instant::now();
        let response = request.by(&self.author).try_send().await.map_err(|_| NoResponse)?;
        let took = start.elapsed().as_millis().try_into().unwrap();
        self.longest.fetch_max(took, Ordering::Relaxed);
        self.responses.fetch_add(1, Ordering::Relaxed);
        if response.status == 503 {
            let response = response.expect_problem(503, "unavailable");
            assert!(response.header("retry-after").is_some(), "{response}");
            return Ok(None);
        }
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(Some(response.expect(success)))
    }
}

/// The server exited before it sent a response.
struct NoResponse;
