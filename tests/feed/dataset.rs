//! The users and posts of a test, and the changes that writers have made to them.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use grateful_testkit::TestDatabase;
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::rng::Rng;

/// The number of users and posts to insert.
pub(crate) struct DatasetSize {
    pub(crate) users: u32,
    pub(crate) posts: u32,
}

/// The state that readers and writers share.
pub(crate) struct Dataset {
    users: u32,
    /// The number of posts at the start. Writers keep the number close to it.
    initial_posts: usize,
    is_finished: AtomicBool,
    /// All existing posts with their authors.
    posts: Mutex<Vec<(Uuid, i64)>>,
    changed_follows: Mutex<HashSet<(i64, i64)>>,
    changed_blocks: Mutex<HashSet<(i64, i64)>>,
}

/// The state of a public post at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) author: i64,
    pub(crate) rank: f64,
    /// In microseconds since the Unix epoch.
    pub(crate) created_at: i64,
    /// Whether the viewer follows the author.
    pub(crate) is_followed: bool,
}

impl DatasetSize {
    /// Inserts users, posts of the last days, some of them with hearts, and some follows of the readers.
    pub(crate) async fn insert_into(self, database: &TestDatabase) -> Dataset {
        let Self { users, posts } = self;
        database.execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, '' FROM generate_series(1, {users}) n;
             INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), 1 + floor({users} * power(random(), 2))::int, 'Rain',
                 now() - power(random(), 2) * interval '5 days', floor(power(random(), 6) * 30)::int
             FROM generate_series(1, {posts});
             UPDATE users SET posts_count = made, public_posts_count = made
             FROM (SELECT author_id, count(*) AS made FROM posts GROUP BY author_id) AS counts WHERE id = author_id;
             INSERT INTO follows (id, follower_id, followed_id)
             SELECT gen_random_uuid(), a, b FROM generate_series(1, 50) a, generate_series(1, {users}) b
             WHERE a <> b AND random() < 0.2"
        ))
        .await;
        let sql = SqlConnection::connect(&database.url()).await;
        let posts: Vec<_> =
            list_public_posts(&sql, 0).await.iter().map(|post| (post.id, post.author)).collect();
        Dataset {
            users,
            initial_posts: posts.len(),
            is_finished: AtomicBool::new(false),
            posts: Mutex::new(posts),
            changed_follows: Mutex::default(),
            changed_blocks: Mutex::default(),
        }
    }
}

impl Dataset {
    pub(crate) fn is_being_read(&self) -> bool {
        !self.is_finished.load(Ordering::Relaxed)
    }

    /// Tells the writers to stop.
    pub(crate) fn finish_reading(&self) {
        self.is_finished.store(true, Ordering::Relaxed);
    }

    pub(crate) fn choose_user(&self, rng: &mut Rng) -> i64 {
        i64::try_from(1 + rng.below(self.users as usize)).unwrap()
    }

    pub(crate) fn choose_post(&self, rng: &mut Rng) -> (Uuid, i64) {
        rng.choose(&self.posts.lock().unwrap())
    }

    /// Whether there are more posts than at the start.
    pub(crate) fn has_grown(&self) -> bool {
        self.initial_posts < self.posts.lock().unwrap().len()
    }

    pub(crate) fn add_post(&self, post: Uuid, author: i64) {
        self.posts.lock().unwrap().push((post, author));
    }

    /// Removes a post from the list, for a writer that deletes it.
    pub(crate) fn take_post(&self, rng: &mut Rng) -> (Uuid, i64) {
        let mut posts = self.posts.lock().unwrap();
        let index = rng.below(posts.len());
        posts.swap_remove(index)
    }

    /// Records that a follow is about to be created or deleted.
    pub(crate) fn record_follow_change(&self, follower: i64, followed: i64) {
        self.changed_follows.lock().unwrap().insert((follower, followed));
    }

    /// Records that a block is about to be created or deleted.
    pub(crate) fn record_block_change(&self, user: i64, other: i64) {
        self.changed_blocks.lock().unwrap().extend([(user, other), (other, user)]);
        self.changed_follows.lock().unwrap().extend([(user, other), (other, user)]);
    }

    /// All users that this user has followed or unfollowed.
    pub(crate) fn changed_follows_of(&self, user: i64) -> HashSet<i64> {
        partners_of(&self.changed_follows, user)
    }

    /// All users who blocked or unblocked this user, or were blocked or unblocked by this user.
    pub(crate) fn changed_blocks_of(&self, user: i64) -> HashSet<i64> {
        partners_of(&self.changed_blocks, user)
    }
}

fn partners_of(pairs: &Mutex<HashSet<(i64, i64)>>, user: i64) -> HashSet<i64> {
    let pairs = pairs.lock().unwrap();
    pairs.iter().filter(|(first, _)| *first == user).map(|(_, second)| *second).collect()
}

/// All public posts, with the viewer's follows. Includes posts across a block, which the caller filters.
pub(crate) async fn list_public_posts(sql: &SqlConnection, viewer: i64) -> Vec<Post> {
    let rows = sql
        .query_column(&format!(
            "SELECT concat_ws(' ', id, author_id, rank, (extract(epoch FROM created_at) * 1000000)::bigint,
                 CASE WHEN author_id IN (
                     SELECT followed_id FROM follows WHERE follower_id = {viewer} AND status = 'active'
                 ) THEN 1 ELSE 0 END)
             FROM posts WHERE is_public"
        ))
        .await;
    rows.iter().map(|row| parse_post(row)).collect()
}

fn parse_post(row: &str) -> Post {
    let [id, author, rank, created_at, is_followed] = row.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{row}")
    };
    Post {
        id: id.parse().unwrap(),
        author: author.parse().unwrap(),
        rank: rank.parse().unwrap(),
        created_at: created_at.parse().unwrap(),
        is_followed: is_followed == "1",
    }
}
