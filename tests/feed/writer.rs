//! A writer that changes posts, hearts, follows and blocks during the reads.

use std::sync::Arc;
use std::time::Duration;

use grateful_application::{App, Error, RecordedResponse, Result, hearts, posts};
use grateful_domain::{Content, Draft, PostForViewer, PostType, Visibility};
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::READERS;
use crate::dataset::Dataset;
use crate::rng::Rng;

/// Writes on behalf of random users.
pub(crate) struct Writer {
    pub(crate) app: App,
    pub(crate) sql: SqlConnection,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) rng: Rng,
}

/// The number of writes of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WriteCounts {
    hearts: u32,
    posts: u32,
    deletions: u32,
    follows: u32,
    unfollows: u32,
    blocks: u32,
    unblocks: u32,
}

impl WriteCounts {
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            hearts: self.hearts + other.hearts,
            posts: self.posts + other.posts,
            deletions: self.deletions + other.deletions,
            follows: self.follows + other.follows,
            unfollows: self.unfollows + other.unfollows,
            blocks: self.blocks + other.blocks,
            unblocks: self.unblocks + other.unblocks,
        }
    }

    pub(crate) fn total(&self) -> u32 {
        let Self { hearts, posts, deletions, follows, unfollows, blocks, unblocks } = *self;
        hearts + posts + deletions + follows + unfollows + blocks + unblocks
    }

    pub(crate) fn has_all_kinds(&self) -> bool {
        let Self { hearts, posts, deletions, follows, unfollows, blocks, unblocks } = *self;
        let counts = [hearts, posts, deletions, follows, unfollows, blocks, unblocks];
        counts.iter().all(|count| 0 < *count)
    }
}

impl Writer {
    /// Writes once per interval until the readers have finished.
    pub(crate) async fn write(mut self, interval: Duration) -> WriteCounts {
        let mut counts = WriteCounts::default();
        let mut interval = tokio::time::interval(interval);
        while self.dataset.is_being_read() {
            interval.tick().await;
            self.write_once(&mut counts).await;
        }
        counts
    }

    async fn write_once(&mut self, counts: &mut WriteCounts) {
        match self.rng.below(20) {
            0..12 => counts.hearts += u32::from(self.add_heart().await),
            12..16 if self.dataset.has_grown() => {
                self.delete_post().await;
                counts.deletions += 1;
            }
            12..16 => {
                self.create_post().await;
                counts.posts += 1;
            }
            16 => {
                self.change_relationship("INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), $a, $b) ON CONFLICT DO NOTHING", Dataset::record_follow_change).await;
                counts.follows += 1;
            }
            17 => {
                self.change_relationship("DELETE FROM follows WHERE follower_id = $a AND followed_id = $b AND status = 'active'", Dataset::record_follow_change).await;
                counts.unfollows += 1;
            }
            18 => {
                self.change_relationship(
                    "DELETE FROM follows WHERE follower_id = $a AND followed_id = $b;
                     INSERT INTO follows (id, follower_id, followed_id, status) VALUES (gen_random_uuid(), $b, $a, 'blocked')
                     ON CONFLICT (follower_id, followed_id) DO UPDATE SET status = 'blocked'",
                    Dataset::record_block_change,
                )
                .await;
                counts.blocks += 1;
            }
            _ => {
                self.change_relationship("DELETE FROM follows WHERE follower_id = $b AND followed_id = $a AND status = 'blocked'", Dataset::record_block_change).await;
                counts.unblocks += 1;
            }
        }
    }

    /// Adds a heart by a random user to a random post. Returns `false` if the post is gone or the heart exists.
    async fn add_heart(&mut self) -> bool {
        let (post, _) = self.dataset.choose_post(&mut self.rng);
        let user = self.dataset.choose_user(&mut self.rng);
        match hearts::add(&self.app, user.into(), post.into()).await {
            Ok(_) => true,
            Err(Error::NotFound { .. } | Error::AlreadyExists { .. }) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn create_post(&mut self) {
        let author = self.dataset.choose_user(&mut self.rng);
        let draft = Draft {
            title: None,
            content: Content::parse("For rain.", PostType::Daily).unwrap(),
            post_type: PostType::Daily,
            image_url: None,
            location: None,
            visibility: Visibility::Public,
        };
        let record = |seen: &PostForViewer| Uuid::from(seen.post.id).into_bytes().to_vec();
        let response: Result<RecordedResponse> =
            posts::create(&self.app, author.into(), draft, None, record).await;
        let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) = response.unwrap();
        self.dataset.add_post(Uuid::from_slice(&id).unwrap(), author);
    }

    async fn delete_post(&mut self) {
        let (post, author) = self.dataset.take_post(&mut self.rng);
        posts::delete(&self.app, author.into(), post.into(), |_| true).await.unwrap();
    }

    /// Runs statements with `$a` and `$b` replaced by the ids of a reader and of another user. `record` is called first.
    async fn change_relationship(&mut self, statements: &str, record: impl Fn(&Dataset, i64, i64)) {
        let reader = i64::try_from(1 + self.rng.below(READERS)).unwrap();
        let other = self.dataset.choose_user(&mut self.rng);
        if reader == other {
            return;
        }
        record(&self.dataset, reader, other);
        let statements =
            statements.replace("$a", &reader.to_string()).replace("$b", &other.to_string());
        self.sql.run(&statements).await;
    }
}
