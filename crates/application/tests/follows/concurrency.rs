//! Many people at once, who follow, block and answer each other at random: nobody meets an error that is not about what
//! they asked for, and in the end every number equals its rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::follows;
use grateful_application::{App, Error, Result, SystemClock, hearts, profiles};
use grateful_domain::{PostId, Preferences, ProfileEdit, UserId};
use grateful_storage::DatabaseConfig;
use grateful_testkit::{TestApp, TestDatabase, a_post, create_user};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{assert_sound, shy};

const PEOPLE: usize = 8;
const TIMES: usize = 120;
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_acts_of_many_leave_every_number_right_and_nobody_waits_in_a_circle() {
    let database = play(&ACTS).await;

    assert_eq!(deadlocks(&database).await, 0, "somebody took locks in another order");
}

/// A block may meet others in a circle: it keeps out whoever refers to its two people, as what is told of a third does.
/// Then it is tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_acts_and_blocks_of_many_leave_every_number_right_and_no_follow_across_a_block() {
    let database = play(&[&ACTS[..], &BLOCKS].concat()).await;

    let across = "follows AS it JOIN follows AS back
        ON back.follower_id = it.followed_id AND back.followed_id = it.follower_id
        WHERE it.status = 'blocked' AND back.status <> 'blocked'";
    assert_eq!(database.count(across).await, 0, "somebody follows across a block");
}

/// Lets everybody do some of this.
async fn play(acts: &[Act]) -> TestDatabase {
    let TestApp { app, database, .. } = TestApp::create().await;
    let app = App { clock: Arc::new(SystemClock), ..app };
    let people = join_all((0..PEOPLE).map(|_| create_user(&database))).await;
    for person in &people[..PEOPLE / 2] {
        shy(&database, *person).await;
    }
    let post = a_post().by(people[0]).insert_into(&database).await.id;
    // This is about what people leave, not about how long they wait on a machine that does other things as well.
    let patient = |config: DatabaseConfig| {
        config.with_acquire_timeout(PATIENCE).with_statement_timeout(PATIENCE)
    };
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut tasks = JoinSet::new();

    for (number, me) in people.iter().enumerate() {
        let app = App { db: database.pool_with(patient), ..app.clone() };
        let dice = Dice(seed, number);
        tasks.spawn(act_at_random(app, *me, people.clone(), post, acts.to_vec(), dice));
    }
    let done: usize = tasks.join_all().await.into_iter().sum();

    assert!(done > TIMES, "only {done} acts came to something");
    assert_sound(&app).await;
    let asked_for_nothing = "follows JOIN users ON users.id = followed_id WHERE status = 'pending'
        AND profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'";
    assert_eq!(database.count(asked_for_nothing).await, 0);
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_follows_at_once_are_one_and_nine_refusals() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let outcomes = join_all((0..10).map(|_| follows::follow(&app, ana, ben))).await;

    let refused =
        outcomes.iter().filter(|it| matches!(it, Err(Error::AlreadyExists { .. }))).count();
    assert_eq!(refused, 9, "{outcomes:?}");
    assert_eq!(database.count("users WHERE followers_count = 1").await, 1);
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_an_acceptance_a_refusal_and_a_withdrawal_at_once_one_comes_first() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, sue] = [create_user(&database).await, create_user(&database).await];
    shy(&database, sue).await;
    for _ in 0..10 {
        follows::follow(&app, ana, sue).await.unwrap();

        let (accepted, declined, withdrawn) = tokio::join!(
            follows::accept_request(&app, sue, ana),
            follows::decline_request(&app, sue, ana),
            follows::unfollow(&app, ana, sue)
        );

        // Who was accepted may have left since.
        assert!(!(accepted.is_ok() && declined.is_ok()), "a request was answered twice");
        assert!(!(declined.is_ok() && withdrawn.is_ok()), "a request was ended twice");
        assert_sound(&app).await;
        let left = i64::from(accepted.is_ok() && withdrawn.is_err());
        assert_eq!(database.count("follows").await, left);
        let _ = follows::unfollow(&app, ana, sue).await;
    }
}

async fn act_at_random(
    app: App,
    me: UserId,
    people: Vec<UserId>,
    post: PostId,
    acts: Vec<Act>,
    mut dice: Dice,
) -> usize {
    let mut done = 0;
    for _ in 0..TIMES {
        let other = people[dice.below(people.len())];
        if other != me {
            let act = acts[dice.below(acts.len())];
            done += usize::from(came_to_something(act.by(&app, me, other, post).await));
        }
    }
    done
}

#[derive(Clone, Copy)]
enum Act {
    Follow,
    Unfollow,
    Accept,
    Decline,
    Heart,
    Unheart,
    /// Asks to be asked, or no more.
    Close,
    Open,
    Block,
    Unblock,
}

const ACTS: [Act; 10] = {
    use Act::{Accept, Close, Decline, Follow, Heart, Open, Unfollow, Unheart};
    [Follow, Follow, Follow, Unfollow, Accept, Decline, Heart, Unheart, Close, Open]
};

const BLOCKS: [Act; 2] = [Act::Block, Act::Unblock];

impl Act {
    async fn by(self, app: &App, me: UserId, other: UserId, post: PostId) -> Result<()> {
        match self {
            Self::Follow => follows::follow(app, me, other).await.map(drop),
            Self::Unfollow => follows::unfollow(app, me, other).await,
            Self::Accept => follows::accept_request(app, me, other).await,
            Self::Decline => follows::decline_request(app, me, other).await,
            Self::Heart => hearts::add(app, me, post).await.map(drop),
            Self::Unheart => hearts::remove(app, me, post).await.map(drop),
            Self::Close => profiles::update(app, me, approval(true)).await.map(drop),
            Self::Open => profiles::update(app, me, approval(false)).await.map(drop),
            Self::Block => follows::block(app, me, other).await,
            Self::Unblock => follows::unblock(app, me, other).await,
        }
    }
}

fn approval(wanted: bool) -> ProfileEdit {
    let wanted = json!({"approve_followers": wanted});
    let preferences = Preferences::parse(wanted.as_object().unwrap().clone()).unwrap();
    ProfileEdit { preferences: Some(preferences), ..ProfileEdit::default() }
}

/// Whether it did. A refusal that is about what was asked for is fine.
#[track_caller]
fn came_to_something(outcome: Result<()>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Forbidden { .. }) => {
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// A small generator (`SplitMix64`): the same seed and player throw the same numbers.
struct Dice(u64, usize);

impl Dice {
    /// One of the numbers below `sides`.
    fn below(&mut self, sides: usize) -> usize {
        let player = u64::try_from(self.1).unwrap();
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0 ^ player.wrapping_mul(0xd134_2543_de82_ef95);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// How many transactions PostgreSQL ended in favour of others. It is told when connections end.
async fn deadlocks(database: &TestDatabase) -> i64 {
    let others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(10);
    while 1 < database.count(others).await && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database
        .count("pg_stat_database, generate_series(1, deadlocks) WHERE datname = current_database()")
        .await
}
