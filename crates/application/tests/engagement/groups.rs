//! Acts of many users in one transaction. While the lock of a row holds up the first act, the others wait, and become the next
//! group.

use std::cell::Cell;
use std::future::{Future, ready};
use std::time::Duration;

use futures_util::future::join_all;
use grateful_application::{App, Combiner, CombinerLimits, Error, QueryLog, Result, hearts};
use grateful_domain::{PostId, UserId};
use grateful_storage::Connection;
use grateful_testkit::{
    MetricsCapture, TestApp, TestDatabase, a_post, a_user, assert_consistent, block, create_user,
    wait_until_blocked,
};
use tokio::task::JoinHandle;

use crate::support::outcome;

const GROUP_SIZE: &str = "grateful_act_group_size";
const RETRIED: &str = "grateful_act_groups_retried_total";
const SPLIT: &str = "grateful_act_groups_split_total";

#[tokio::test]
async fn acts_that_arrive_while_another_runs_are_one_transaction_with_the_statements_of_one_act() {
    let metrics = MetricsCapture::start();
    let held = HeldPost::create(CombinerLimits::default()).await;
    let users = join_all((0..40).map(|_| create_user(&held.database))).await;

    let hearts =
        users.iter().map(|user| QueryLog::record(hearts::add(&held.app, *user, held.post)));
    let added = held.release_once_waiting(join_all(hearts)).await;

    for (result, log) in added {
        assert!(result.unwrap().is_hearted);
        assert_eq!(log.total(), 8);
    }
    assert_eq!(metrics.take_histogram(GROUP_SIZE), [1.0, 40.0]);
    held.finish_first().await;
    held.assert_hearts(41).await;
    let log = |work| async { QueryLog::record(work).await.1.total() };
    assert_eq!(log(hearts::remove(&held.app, users[0], held.post)).await, 9);
}

/// What a statement cannot do for one act is refused to that act alone.
#[tokio::test]
async fn each_act_of_a_group_is_done_or_refused_by_itself() {
    let held = HeldPost::create(CombinerLimits::default()).await;
    let [ana, repeating, blocked, gone] = create_users(&held.database).await;
    let private = a_post().private().insert_into(&held.database).await.id;
    hearts::add(&held.app, repeating, held.other_post).await.unwrap();
    let delete = format!("UPDATE users SET deleted_at = now() WHERE id = {gone}");
    held.database.execute(&delete).await;
    block(&held.database, held.author, blocked).await;

    let hearts = [
        (ana, held.post),
        (repeating, held.other_post),
        (blocked, held.post),
        (gone, held.post),
        (ana, private),
        (ana, held.other_post),
    ];
    let hearts = hearts.map(|(user, post)| hearts::add(&held.app, user, post));
    let results = held.release_once_waiting(join_all(hearts)).await;

    let outcomes: Vec<_> = results.iter().map(outcome).collect();
    assert_eq!(outcomes, ["done", "exists", "no post", "no account", "no post", "done"]);
    held.finish_first().await;
    held.assert_hearts(2).await;
}

#[tokio::test]
async fn an_act_whose_caller_leaves_before_it_starts_never_does_and_one_that_runs_is_completed() {
    let held = HeldPost::create(CombinerLimits::default()).await;
    let [waiting, last] = create_users(&held.database).await;

    let (app, post) = (held.app.clone(), held.post);
    let leaving = tokio::spawn(async move { hearts::add(&app, waiting, post).await });
    tokio::task::yield_now().await;
    leaving.abort();
    held.first.take().unwrap().abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    let added = held.release_once_waiting(hearts::add(&held.app, last, held.post)).await;

    added.unwrap();
    held.assert_hearts(2).await;
    let of_waiting = format!("likes WHERE user_id = {waiting}");
    assert_eq!(held.database.count(&of_waiting).await, 0);
    let of_first = format!("likes WHERE user_id = {}", held.first_user);
    assert_eq!(held.database.count(&of_first).await, 1);
}

#[tokio::test]
async fn acts_beyond_the_bounds_of_the_queue_are_unavailable_at_once() {
    let limits = CombinerLimits { waiting: 2, ..CombinerLimits::default() };
    let held = HeldPost::create(limits).await;
    let [ana, ben, caro] = create_users(&held.database).await;

    let acts = join_all([ana, ben].map(|user| hearts::add(&held.app, user, held.post)));
    let mut acts = Box::pin(acts);
    poll_once(&mut acts).await;
    let refused = hearts::add(&held.app, caro, held.post).await;
    let added = held.release_once_waiting(acts).await;

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(added.iter().all(Result::is_ok));
    held.finish_first().await;
    held.assert_hearts(3).await;
}

#[tokio::test]
async fn an_act_that_could_not_start_in_time_is_unavailable() {
    let limits = CombinerLimits { wait: Duration::from_millis(1), ..CombinerLimits::default() };
    let held = HeldPost::create(limits).await;
    let [ana] = create_users(&held.database).await;

    let mut act = Box::pin(hearts::add(&held.app, ana, held.post));
    poll_once(&mut act).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let late = held.release_once_waiting(act).await;

    assert!(matches!(late, Err(Error::Unavailable(_))), "{late:?}");
}

/// A trigger fails the transaction of a user's heart, as a broken row or a bug would.
#[tokio::test]
async fn an_act_that_fails_the_transaction_of_its_group_fails_alone() {
    let metrics = MetricsCapture::start();
    let app = TestApp::create().await;
    let [ana, broken, caro] = create_users(&app.database).await;
    app.database
        .execute(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON likes FOR EACH ROW
             WHEN (NEW.user_id = {broken}) EXECUTE FUNCTION fail()"
        ))
        .await;
    let held = HeldPost::hold(app, CombinerLimits::default()).await;

    let hearts = [ana, broken, caro].map(|user| hearts::add(&held.app, user, held.post));
    let results = held.release_once_waiting(join_all(hearts)).await;

    assert_eq!(results.iter().map(outcome).collect::<Vec<_>>(), ["done", "internal", "done"]);
    let act = "{act=add_heart}";
    let counted = metrics.take_named(&[RETRIED, SPLIT]);
    assert_eq!(counted, [(format!("{RETRIED}{act}"), 1), (format!("{SPLIT}{act}"), 1)].into());
    held.finish_first().await;
    held.assert_hearts(3).await;
}

#[tokio::test]
async fn a_post_that_something_else_locks_fails_only_the_acts_on_it() {
    let limits = CombinerLimits { groups: 1, ..CombinerLimits::default() };
    let held = HeldPost::create(limits).await;
    let [ana, ben, caro] = create_users(&held.database).await;
    let locked = a_post().insert_into(&held.database).await.id;
    let lock = format!("SELECT FROM posts WHERE id = '{locked}' FOR UPDATE");
    let lock = held.database.begin(&lock).await;

    let acts = [(ana, locked), (ben, held.other_post), (caro, locked)];
    let acts = acts.map(|(user, post)| hearts::add(&held.impatient_app, user, post));
    let results = held.release_once_waiting(join_all(acts)).await;

    let outcomes: Vec<_> = results.iter().map(outcome).collect();
    assert_eq!(outcomes, ["unavailable", "done", "unavailable"]);
    drop(lock);
    hearts::add(&held.app, ana, locked).await.unwrap();
    assert_consistent(&held.app).await;
}

/// A post whose row is locked, and a first heart that waits for it.
struct HeldPost {
    app: App,
    /// The same application on connections with a short statement timeout.
    impatient_app: App,
    database: TestDatabase,
    author: UserId,
    post: PostId,
    /// A post that is not locked.
    other_post: PostId,
    first_user: UserId,
    first: Cell<Option<JoinHandle<Result<hearts::HeartStatus>>>>,
    lock: Cell<Option<Connection>>,
}

impl HeldPost {
    async fn create(limits: CombinerLimits) -> Self {
        Self::hold(TestApp::create().await, limits).await
    }

    async fn hold(TestApp { app, database, .. }: TestApp, limits: CombinerLimits) -> Self {
        // Acts wait as long as a busy machine needs, if the test sets no other limit.
        let is_default = limits.wait == CombinerLimits::default().wait;
        let wait = if is_default { Duration::from_mins(1) } else { limits.wait };
        let app = App { combiner: Combiner::new(CombinerLimits { wait, ..limits }), ..app };
        let author = a_user().insert_into(&database).await.id;
        let post = a_post().by(author).insert_into(&database).await.id;
        let other_post = a_post().by(author).insert_into(&database).await.id;
        let lock = format!("SELECT FROM posts WHERE id = '{post}' FOR UPDATE");
        let lock = database.begin(&lock).await;
        let first_user = create_user(&database).await;
        let first = {
            let app = app.clone();
            tokio::spawn(async move { hearts::add(&app, first_user, post).await })
        };
        wait_until_blocked(&database, 1).await;
        let timeout = Duration::from_millis(300);
        let db = database.pool_with(|config| config.with_statement_timeout(timeout));
        let impatient_app = App { db, ..app.clone() };
        let (first, lock) = (Cell::new(Some(first)), Cell::new(Some(lock)));
        Self { app, impatient_app, database, author, post, other_post, first_user, first, lock }
    }

    /// Polls `acts` once, so that they wait, and releases the lock.
    async fn release_once_waiting<T>(&self, acts: impl Future<Output = T>) -> T {
        let mut acts = Box::pin(acts);
        poll_once(&mut acts).await;
        drop(self.lock.take());
        acts.await
    }

    /// Waits for the first heart.
    async fn finish_first(&self) {
        self.first.take().unwrap().await.unwrap().unwrap();
    }

    /// The post has this number of hearts, and all rows match.
    async fn assert_hearts(&self, count: i64) {
        let hearts = format!("likes WHERE post_id = '{}'", self.post);
        assert_eq!(self.database.count(&hearts).await, count);
        assert_consistent(&self.app).await;
    }
}

async fn poll_once<T>(acts: &mut (impl Future<Output = T> + Unpin)) {
    tokio::select! {
        biased;
        _ = acts => panic!("nothing waits"),
        () = ready(()) => (),
    }
}

async fn create_users<const N: usize>(database: &TestDatabase) -> [UserId; N] {
    join_all((0..N).map(|_| create_user(database))).await.try_into().unwrap()
}
