//! People and posts, and what is known about them while everybody is at it.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use grateful_testkit::TestDatabase;
use grateful_tests::SqlConnection;
use uuid::Uuid;

use crate::dice::Dice;

/// How large a world is to be.
pub(crate) struct World {
    pub(crate) people: u32,
    pub(crate) posts: u32,
}

/// Where everybody meets.
pub(crate) struct Stage {
    pub(crate) people: u32,
    /// So many posts there were in the beginning, and about as many there are later on.
    pub(crate) posts: usize,
    is_over: AtomicBool,
    living: Mutex<Vec<(Uuid, i64)>>,
    follows: Mutex<HashSet<(i64, i64)>>,
    blocks: Mutex<HashSet<(i64, i64)>>,
}

/// A public post at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: Uuid,
    pub(crate) author: i64,
    pub(crate) rank: f64,
    /// In microseconds.
    pub(crate) at: i64,
    /// Whether whoever looks follows its author.
    pub(crate) followed: bool,
}

impl World {
    /// Makes it: posts of the last days, some of them loved, and some follows of those who will walk.
    pub(crate) async fn made_in(self, database: &TestDatabase) -> Stage {
        let Self { people, posts } = self;
        database.execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, '' FROM generate_series(1, {people}) n;
             INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), 1 + floor({people} * power(random(), 2))::int, 'Rain',
                 now() - power(random(), 2) * interval '5 days', floor(power(random(), 6) * 30)::int
             FROM generate_series(1, {posts});
             UPDATE users SET posts_count = made, public_posts_count = made
             FROM (SELECT author_id, count(*) AS made FROM posts GROUP BY author_id) AS counts WHERE id = author_id;
             INSERT INTO follows (id, follower_id, followed_id)
             SELECT gen_random_uuid(), a, b FROM generate_series(1, 50) a, generate_series(1, {people}) b
             WHERE a <> b AND random() < 0.2"
        ))
        .await;
        let sql = SqlConnection::connect(&database.url()).await;
        let living: Vec<_> =
            posts_seen_by(&sql, 0).await.iter().map(|it| (it.id, it.author)).collect();
        Stage {
            people,
            posts: living.len(),
            is_over: AtomicBool::new(false),
            living: Mutex::new(living),
            follows: Mutex::default(),
            blocks: Mutex::default(),
        }
    }
}

impl Stage {
    pub(crate) fn is_walked_through(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    pub(crate) fn close(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn person(&self, dice: &mut Dice) -> i64 {
        i64::try_from(1 + dice.below(self.people as usize)).unwrap()
    }

    pub(crate) fn post(&self, dice: &mut Dice) -> (Uuid, i64) {
        dice.pick(&self.living.lock().unwrap())
    }

    pub(crate) fn is_crowded(&self) -> bool {
        self.posts < self.living.lock().unwrap().len()
    }

    pub(crate) fn add(&self, post: Uuid, author: i64) {
        self.living.lock().unwrap().push((post, author));
    }

    /// Takes one away, for whoever deletes it.
    pub(crate) fn take(&self, dice: &mut Dice) -> (Uuid, i64) {
        let mut living = self.living.lock().unwrap();
        let number = dice.below(living.len());
        living.swap_remove(number)
    }

    /// Says, before it happens, that a follow between these two is about to be made or ended.
    pub(crate) fn note_follow(&self, who: i64, whom: i64) {
        self.follows.lock().unwrap().insert((who, whom));
    }

    /// Says, before it happens, that a block between these two is about to be made or lifted.
    pub(crate) fn note_block(&self, who: i64, whom: i64) {
        self.blocks.lock().unwrap().extend([(who, whom), (whom, who)]);
        self.follows.lock().unwrap().extend([(who, whom), (whom, who)]);
    }

    /// Whom this person ever began or ceased to follow.
    pub(crate) fn follows_of(&self, who: i64) -> HashSet<i64> {
        of(&self.follows, who)
    }

    /// With whom this person was ever in a block.
    pub(crate) fn blocks_of(&self, who: i64) -> HashSet<i64> {
        of(&self.blocks, who)
    }
}

fn of(edges: &Mutex<HashSet<(i64, i64)>>, who: i64) -> HashSet<i64> {
    edges.lock().unwrap().iter().filter(|(it, _)| *it == who).map(|(_, whom)| *whom).collect()
}

/// All public posts as they are now, and as somebody follows their authors. Who is in a block is left to the caller.
pub(crate) async fn posts_seen_by(sql: &SqlConnection, viewer: i64) -> Vec<Post> {
    let rows = sql
        .query_column(&format!(
            "SELECT concat_ws(' ', id, author_id, rank, (extract(epoch FROM created_at) * 1000000)::bigint,
                 CASE WHEN author_id IN (
                     SELECT followed_id FROM follows WHERE follower_id = {viewer} AND status = 'active'
                 ) THEN 1 ELSE 0 END)
             FROM posts WHERE is_public"
        ))
        .await;
    rows.iter().map(|row| parse(row)).collect()
}

fn parse(row: &str) -> Post {
    let [id, author, rank, at, followed] = row.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{row}")
    };
    Post {
        id: id.parse().unwrap(),
        author: author.parse().unwrap(),
        rank: rank.parse().unwrap(),
        at: at.parse().unwrap(),
        followed: followed == "1",
    }
}
