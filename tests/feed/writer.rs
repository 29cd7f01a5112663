//! Somebody who writes.

use std::sync::Arc;
use std::time::Duration;

use grateful_application::{App, Error, RecordedResponse, Result, hearts, posts};
use grateful_domain::{Content, Draft, PostForViewer, PostType, Visibility};
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::WALKERS;
use crate::dice::Dice;
use crate::world::Stage;

/// Writes in the names of all people.
pub(crate) struct Writer {
    pub(crate) app: App,
    pub(crate) sql: SqlConnection,
    pub(crate) world: Arc<Stage>,
    pub(crate) dice: Dice,
}

/// How often what was written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    likes: u32,
    posts: u32,
    deletions: u32,
    follows: u32,
    unfollows: u32,
    blocks: u32,
    unblocks: u32,
}

impl Written {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            likes: self.likes + other.likes,
            posts: self.posts + other.posts,
            deletions: self.deletions + other.deletions,
            follows: self.follows + other.follows,
            unfollows: self.unfollows + other.unfollows,
            blocks: self.blocks + other.blocks,
            unblocks: self.unblocks + other.unblocks,
        }
    }

    pub(crate) fn all(&self) -> u32 {
        let Self { likes, posts, deletions, follows, unfollows, blocks, unblocks } = *self;
        likes + posts + deletions + follows + unfollows + blocks + unblocks
    }

    pub(crate) fn has_all_kinds(&self) -> bool {
        let Self { likes, posts, deletions, follows, unfollows, blocks, unblocks } = *self;
        [likes, posts, deletions, follows, unfollows, blocks, unblocks].iter().all(|it| 0 < *it)
    }
}

impl Writer {
    /// Writes at this pace, as long as anybody walks.
    pub(crate) async fn write(mut self, pace: Duration) -> Written {
        let mut written = Written::default();
        let mut pace = tokio::time::interval(pace);
        while self.world.is_walked_through() {
            pace.tick().await;
            self.write_once(&mut written).await;
        }
        written
    }

    async fn write_once(&mut self, written: &mut Written) {
        match self.dice.below(20) {
            0..12 => written.likes += u32::from(self.like().await),
            12..16 if self.world.is_crowded() => {
                self.delete().await;
                written.deletions += 1;
            }
            12..16 => {
                self.post().await;
                written.posts += 1;
            }
            16 => {
                self.edge("INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), $a, $b) ON CONFLICT DO NOTHING", Stage::note_follow).await;
                written.follows += 1;
            }
            17 => {
                self.edge("DELETE FROM follows WHERE follower_id = $a AND followed_id = $b AND status = 'active'", Stage::note_follow).await;
                written.unfollows += 1;
            }
            18 => {
                self.edge(
                    "DELETE FROM follows WHERE follower_id = $a AND followed_id = $b;
                     INSERT INTO follows (id, follower_id, followed_id, status) VALUES (gen_random_uuid(), $b, $a, 'blocked')
                     ON CONFLICT (follower_id, followed_id) DO UPDATE SET status = 'blocked'",
                    Stage::note_block,
                )
                .await;
                written.blocks += 1;
            }
            _ => {
                self.edge("DELETE FROM follows WHERE follower_id = $b AND followed_id = $a AND status = 'blocked'", Stage::note_block).await;
                written.unblocks += 1;
            }
        }
    }

    /// Whether there was anything left to like.
    async fn like(&mut self) -> bool {
        let (post, _) = self.world.post(&mut self.dice);
        let person = self.world.person(&mut self.dice);
        match hearts::add(&self.app, person.into(), post.into()).await {
            Ok(_) => true,
            Err(Error::NotFound { .. } | Error::AlreadyExists { .. }) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn post(&mut self) {
        let author = self.world.person(&mut self.dice);
        let draft = Draft {
            title: None,
            content: Content::parse("For rain.", PostType::Daily).unwrap(),
            post_type: PostType::Daily,
            image_url: None,
            location: None,
            visibility: Visibility::Public,
        };
        let record = |seen: &PostForViewer| Uuid::from(seen.post.id).into_bytes().to_vec();
        let answer: Result<RecordedResponse> =
            posts::create(&self.app, author.into(), draft, None, record).await;
        let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) = answer.unwrap();
        self.world.add(Uuid::from_slice(&id).unwrap(), author);
    }

    async fn delete(&mut self) {
        let (post, author) = self.world.take(&mut self.dice);
        posts::delete(&self.app, author.into(), post.into()).await.unwrap();
    }

    /// Changes something between one of those who walk and anybody.
    async fn edge(&mut self, statements: &str, note: impl Fn(&Stage, i64, i64)) {
        let who = i64::try_from(1 + self.dice.below(WALKERS)).unwrap();
        let whom = self.world.person(&mut self.dice);
        if who == whom {
            return;
        }
        note(&self.world, who, whom);
        let statements =
            statements.replace("$a", &who.to_string()).replace("$b", &whom.to_string());
        self.sql.run(&statements).await;
    }
}
