//! Concurrent random follows, requests and blocks. No user gets an unexpected error, and at the end all cached counts
//! match their rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::{App, Error, Result, SystemClock, follows, hearts, profiles};
use grateful_domain::{PostId, Preferences, ProfileEdit, UserId};
use grateful_storage::DatabaseConfig;
use grateful_testkit::{TestApp, TestDatabase, a_post, create_user};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{assert_consistent, require_follow_approval};

const USERS: usize = 8;
const ACTIONS_PER_USER: usize = 120;
const DATABASE_TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_random_actions_keep_counts_consistent_without_deadlocks() {
    let database = run_random_actions(&ACTIONS).await;

    assert_eq!(count_deadlocks(&database).await, 0, "transactions locked rows in different orders");
}

/// A block can deadlock: it locks its two users `FOR UPDATE`, which also blocks transactions that insert a reference to
/// one of them, such as a notification about a third user. The aborted transaction is retried.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_random_blocks_keep_counts_consistent_and_leave_no_follow_across_a_block() {
    let database = run_random_actions(&[&ACTIONS[..], &BLOCKS].concat()).await;

    let across = "follows AS it JOIN follows AS back
        ON back.follower_id = it.followed_id AND back.followed_id = it.follower_id
        WHERE it.status = 'blocked' AND back.status <> 'blocked'";
    assert_eq!(database.count(across).await, 0, "a follow exists across a block");
}

/// Lets all users perform random `actions` concurrently. Half of the users approve their followers at first.
async fn run_random_actions(actions: &[Action]) -> TestDatabase {
    let TestApp { app, database, .. } = TestApp::create().await;
    let app = App { clock: Arc::new(SystemClock), ..app };
    let users = join_all((0..USERS).map(|_| create_user(&database))).await;
    for user in &users[..USERS / 2] {
        require_follow_approval(&database, *user).await;
    }
    let post = a_post().by(users[0]).insert_into(&database).await.id;
    // Long timeouts: this tests the outcome, not the waiting time on a busy machine.
    let with_long_timeouts = |config: DatabaseConfig| {
        config.with_acquire_timeout(DATABASE_TIMEOUT).with_statement_timeout(DATABASE_TIMEOUT)
    };
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut tasks = JoinSet::new();

    for (index, user) in users.iter().enumerate() {
        let app = App { db: database.pool_with(with_long_timeouts), ..app.clone() };
        let random = Random { state: seed, user_index: index };
        tasks.spawn(perform_random_actions(
            app,
            *user,
            users.clone(),
            post,
            actions.to_vec(),
            random,
        ));
    }
    let success_count: usize = tasks.join_all().await.into_iter().sum();

    assert!(success_count > ACTIONS_PER_USER, "only {success_count} actions succeeded");
    assert_consistent(&app).await;
    let stale_requests = "follows JOIN users ON users.id = followed_id WHERE status = 'pending'
        AND profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'";
    assert_eq!(database.count(stale_requests).await, 0);
    database
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_one_of_ten_concurrent_follows_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];

    let results = join_all((0..10).map(|_| follows::follow(&app, ana, ben))).await;

    let rejected =
        results.iter().filter(|result| matches!(result, Err(Error::AlreadyExists { .. }))).count();
    assert_eq!(rejected, 9, "{results:?}");
    assert_eq!(database.count("users WHERE followers_count = 1").await, 1);
    assert_consistent(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_is_accepted_declined_and_cancelled_concurrently_ends_only_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, sue] = [create_user(&database).await, create_user(&database).await];
    require_follow_approval(&database, sue).await;
    for _ in 0..10 {
        follows::follow(&app, ana, sue).await.unwrap();

        let (accepted, declined, cancelled) = tokio::join!(
            follows::accept_request(&app, sue, ana),
            follows::decline_request(&app, sue, ana),
            follows::unfollow(&app, ana, sue)
        );

        // `unfollow` also succeeds after `accept_request`: it then ends the follow.
        assert!(!(accepted.is_ok() && declined.is_ok()), "a request was accepted and declined");
        assert!(!(declined.is_ok() && cancelled.is_ok()), "a request was declined and cancelled");
        assert_consistent(&app).await;
        let expected = i64::from(accepted.is_ok() && cancelled.is_err());
        assert_eq!(database.count("follows").await, expected);
        let _ = follows::unfollow(&app, ana, sue).await;
    }
}

/// Performs random actions as `user`, and returns how many succeeded.
async fn perform_random_actions(
    app: App,
    user: UserId,
    users: Vec<UserId>,
    post: PostId,
    actions: Vec<Action>,
    mut random: Random,
) -> usize {
    let mut success_count = 0;
    for _ in 0..ACTIONS_PER_USER {
        let other = users[random.below(users.len())];
        if other != user {
            let action = actions[random.below(actions.len())];
            let result = action.perform(&app, user, other, post).await;
            success_count += usize::from(is_success(&result));
        }
    }
    success_count
}

#[derive(Clone, Copy)]
enum Action {
    Follow,
    Unfollow,
    Accept,
    Decline,
    AddHeart,
    RemoveHeart,
    TurnApprovalOn,
    TurnApprovalOff,
    Block,
    Unblock,
}

const ACTIONS: [Action; 10] = {
    use Action::{
        Accept, AddHeart, Decline, Follow, RemoveHeart, TurnApprovalOff, TurnApprovalOn, Unfollow,
    };
    [
        Follow,
        Follow,
        Follow,
        Unfollow,
        Accept,
        Decline,
        AddHeart,
        RemoveHeart,
        TurnApprovalOn,
        TurnApprovalOff,
    ]
};

const BLOCKS: [Action; 2] = [Action::Block, Action::Unblock];

impl Action {
    async fn perform(self, app: &App, user: UserId, other: UserId, post: PostId) -> Result<()> {
        match self {
            Self::Follow => follows::follow(app, user, other).await.map(drop),
            Self::Unfollow => follows::unfollow(app, user, other).await,
            Self::Accept => follows::accept_request(app, user, other).await,
            Self::Decline => follows::decline_request(app, user, other).await,
            Self::AddHeart => hearts::add(app, user, post).await.map(drop),
            Self::RemoveHeart => hearts::remove(app, user, post).await.map(drop),
            Self::TurnApprovalOn => {
                profiles::update(app, user, with_approval(true), None).await.map(drop)
            }
            Self::TurnApprovalOff => {
                profiles::update(app, user, with_approval(false), None).await.map(drop)
            }
            Self::Block => follows::block(app, user, other).await,
            Self::Unblock => follows::unblock(app, user, other).await,
        }
    }
}

fn with_approval(approve_followers: bool) -> ProfileEdit {
    let preferences = json!({"approve_followers": approve_followers});
    let preferences = Preferences::parse(preferences.as_object().unwrap().clone()).unwrap();
    ProfileEdit { preferences: Some(preferences), ..ProfileEdit::default() }
}

/// Whether an action succeeded. `NotFound`, `AlreadyExists` and `Forbidden` are expected, since the other users act
/// concurrently. Any other error fails the test.
#[track_caller]
fn is_success(result: &Result<()>) -> bool {
    match result {
        Ok(()) => true,
        Err(Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Forbidden { .. }) => {
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// A small random number generator (`SplitMix64`). The same seed and user index yield the same numbers.
struct Random {
    state: u64,
    user_index: usize,
}

impl Random {
    /// Returns a number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let user_index = u64::try_from(self.user_index).unwrap();
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state ^ user_index.wrapping_mul(0xd134_2543_de82_ef95);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// Counts the transactions that PostgreSQL aborted because of a deadlock. Backends report them when their connections
/// close, so this waits up to 10 s for all other connections to close.
async fn count_deadlocks(database: &TestDatabase) -> i64 {
    let other_connections =
        "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(10);
    while 1 < database.count(other_connections).await && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database
        .count("pg_stat_database, generate_series(1, deadlocks) WHERE datname = current_database()")
        .await
}
