//! Concurrent recording, withdrawing, reading and following.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use grateful_domain::notification::{
    Act, BatchCounts, Cause, Event, EventDetails, InboxChangeKind, InboxUpdate, NotificationCounts,
    RenderedNotification,
};
use grateful_domain::{Emoji, Limit, NotificationId, PageRequest, PostId, ShareId, UserId};
use grateful_storage::{
    Connection, Database, NotificationQuery, NotificationRead, RecordResult, Repositories, Result,
    transaction_on,
};
use grateful_test_database::{NOON, a_post};
use uuid::Uuid;

use super::scenario::{Scenario, event};

/// How many acts the users take together.
const ACTS: u32 = 300;
/// A timeout far above the duration of anything here that does not hang.
const TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_hearts_make_one_batch_with_sixty_four_children() {
    let mut scenario = Scenario::create().await;
    let actors: [UserId; 64] = scenario.create_users().await;
    let (ana, act, database) = (scenario.ana, scenario.heart(), connect_pool(&scenario));

    // An iterator, since an array of the futures would not fit on the stack.
    join_all(actors.into_iter().map(async |actor| {
        let event = event(Cause { recipient: ana, actor, act }, NOON);
        record(&database, vec![event]).await
    }))
    .await;

    assert_eq!(
        scenario.only_notification().await.notification.batch,
        Some(BatchCounts { child_count: 64, actor_count: 64 })
    );
    assert_eq!(find_violations(&scenario).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_recorded_concurrently_many_times_is_stored_once() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let database = connect_pool(&scenario);
    let causes = [ben, caro].map(|actor| scenario.cause_for_ana(actor, scenario.heart()));

    join_all((0..16).map(async |number| {
        let event = event(causes[number % 2], NOON);
        record(&database, vec![event]).await
    }))
    .await;

    assert_eq!(
        scenario.only_notification().await.notification.batch,
        Some(BatchCounts { child_count: 2, actor_count: 2 })
    );
    assert_eq!(scenario.count_notifications().await, 3);
}

/// All senders notify the same recipients, in different orders.
#[tokio::test(flavor = "multi_thread")]
async fn acts_with_overlapping_recipients_do_not_deadlock() {
    let scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let senders: [UserId; 16] = scenario.create_users().await;
    let (database, post) = (connect_pool(&scenario), scenario.post.id);

    join_all(senders.into_iter().enumerate().map(async |(number, actor)| {
        let share = ShareId::from(Uuid::from_u128(number.try_into().unwrap()));
        let mut recipients = [ben, caro, scenario.ana];
        recipients.rotate_left(number % 3);
        let act = Act::MessageShare { post, share };
        let events =
            recipients.map(|recipient| event(Cause { recipient, actor, act }, NOON)).to_vec();
        record(&database, events).await;
        let causes = recipients.map(|recipient| Cause { recipient, actor, act });
        withdraw_causes(&database, &causes, NOON).await;
    }))
    .await;

    assert_eq!(scenario.count_notifications().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_keeps_the_invariants_under_concurrent_writes_and_reads() {
    let scenario = Scenario::create().await;
    let actors: [UserId; 12] = scenario.create_users().await;
    let workload = Arc::new(Workload {
        database: connect_pool(&scenario),
        ana: scenario.ana,
        actors: actors.to_vec(),
        posts: [
            scenario.post.id,
            a_post().by(scenario.ana).insert_into(&scenario.database).await.id,
        ],
        is_over: AtomicBool::new(false),
        acts: AtomicU32::new(0),
    });

    let writing = (0..actors.len()).map(|number| tokio::spawn(toggle(workload.clone(), number)));
    let reading = [tokio::spawn(read(workload.clone())), tokio::spawn(read(workload.clone()))];
    let following = tokio::spawn(follow(workload.clone()));
    let mut recorded = BTreeSet::new();
    for outcome in join_all(writing).await {
        recorded.extend(outcome.unwrap());
    }
    for outcome in join_all(reading).await {
        outcome.unwrap();
    }
    workload.is_over.store(true, Ordering::SeqCst);
    let followed = following.await.unwrap();

    assert_eq!(find_violations(&scenario).await, [""; 0]);
    let mut conn = scenario.database.connect().await;
    assert_eq!(recorded_keys(&mut conn).await, recorded);
    let list = list(&mut conn, scenario.ana).await;
    assert_eq!(by_id(list), followed);
    let counts = conn.notifications().find_counts(scenario.ana).await.unwrap();
    let unread =
        followed.values().filter(|rendered| rendered.notification.read_at.is_none()).count();
    assert_eq!(
        counts,
        NotificationCounts { unread: to_i64(unread), total: to_i64(followed.len()) }
    );
}

/// The first transaction has the lower sequence number but commits later.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_not_visible_before_one_with_a_lower_sequence_number() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let ana = scenario.ana;
    let [first, second] =
        [ben, caro].map(|actor| scenario.event(scenario.cause_for_ana(actor, Act::FollowRequest)));
    let mut slow = scenario.database.connect().await;
    slow.batch_execute("BEGIN").await.unwrap();
    slow.notifications().record(&[first]).await.unwrap();
    let database = connect_pool(&scenario);
    let waiting = tokio::spawn(async move { record(&database, vec![second]).await });
    wait_for_lock_wait(&scenario).await;

    let meanwhile = scenario.conn.notifications().list_changes(ana, 0, 10).await.unwrap();
    slow.batch_execute("COMMIT").await.unwrap();
    waiting.await.unwrap();
    let changes = scenario.conn.notifications().list_changes(ana, 0, 10).await.unwrap();

    assert_eq!(meanwhile, []);
    let actors: Vec<_> = changes
        .iter()
        .map(|change| match &change.kind {
            InboxChangeKind::Upserted(rendered) => rendered.notification.actor,
            InboxChangeKind::Removed(_) => None,
        })
        .collect();
    assert_eq!(actors, [Some(ben), Some(caro)]);
}

/// Deletes old notifications while others are withdrawn and restored.
#[tokio::test(flavor = "multi_thread")]
async fn deleting_old_notifications_keeps_the_invariants_during_withdrawals_and_restores() {
    let mut scenario = Scenario::create().await;
    let actors: [UserId; 8] = scenario.create_users().await;
    scenario.notify_ana(&actors, scenario.heart()).await;
    scenario
        .conn
        .notifications()
        .mark_all_read(scenario.ana, scenario.now, i64::MAX)
        .await
        .unwrap();
    let database = connect_pool(&scenario);
    let (ana, act, now) = (scenario.ana, scenario.heart(), scenario.now);

    let toggling = actors.map(async |actor| {
        let cause = Cause { recipient: ana, actor, act };
        for _ in 0..10 {
            withdraw_causes(&database, &[cause], now).await;
            record(&database, vec![event(cause, now)]).await;
        }
    });
    let deleting = async {
        for _ in 0..20 {
            once(&database, async |tx| tx.notifications().delete_read_before(now, 10).await).await;
        }
    };
    tokio::join!(join_all(toggling), deleting);

    assert_eq!(find_violations(&scenario).await, [""; 0]);
    // A notification that was deleted at the very end, after it had been restored as read, is created once more.
    for actor in actors {
        record(&database, vec![event(Cause { recipient: ana, actor, act }, now)]).await;
    }
    assert_eq!(find_violations(&scenario).await, [""; 0]);
    assert_eq!(recorded_keys(&mut scenario.conn).await.len(), 8);
}

/// The participants of the workload, and how far it is.
struct Workload {
    database: Database,
    ana: UserId,
    actors: Vec<UserId>,
    posts: [PostId; 2],
    /// Whether all writers have stopped.
    is_over: AtomicBool,
    acts: AtomicU32,
}

/// Records and withdraws random acts, mostly for Ana, until the workload ends. Returns the keys of the causes that remain
/// recorded.
async fn toggle(workload: Arc<Workload>, number: usize) -> BTreeSet<String> {
    let (mut rng, actor) = (Rng(7 + to_i64(number).unsigned_abs()), workload.actors[number]);
    let mut recorded: BTreeMap<String, Cause> = BTreeMap::new();
    let mut shares = 0;
    while workload.acts.fetch_add(1, Ordering::Relaxed) < ACTS {
        let post = workload.posts[rng.below(2)];
        let other = workload.actors[(number + 1 + rng.below(3)) % workload.actors.len()];
        let act = match rng.below(5) {
            0 | 1 => Act::Heart { post },
            2 => Act::Reaction { post },
            3 => Act::Follow,
            _ => {
                shares += 1;
                let share = Uuid::from_u128(u128::try_from(number * 100_000 + shares).unwrap());
                Act::MessageShare { post, share: share.into() }
            }
        };
        let mut causes = vec![Cause { recipient: workload.ana, actor, act }];
        if let Act::MessageShare { .. } = act {
            causes.push(Cause { recipient: other, actor, act });
            causes.rotate_left(rng.below(2));
        }
        if recorded.contains_key(&key_of(&causes[0])) {
            withdraw_or_change(&workload, &causes, &mut rng, &mut recorded).await;
        } else {
            let events = causes.iter().map(|cause| event(*cause, NOON)).collect();
            let result = record(&workload.database, events).await;
            let is_held_back = |cause: &Cause| {
                result.held_back.iter().any(|event| event.recipient == cause.recipient)
            };
            let new = causes.into_iter().filter(|cause| !is_held_back(cause));
            recorded.extend(new.map(|cause| (key_of(&cause), cause)));
        }
        // Keeps the lists short: each message is withdrawn before the third.
        if let Some(message) =
            recorded.values().find(|cause| matches!(cause.act, Act::MessageShare { .. })).copied()
            && shares % 3 == 0
        {
            withdraw(&workload, &[message], &mut recorded).await;
        }
    }
    recorded.into_keys().collect()
}

async fn withdraw_or_change(
    workload: &Workload,
    causes: &[Cause],
    rng: &mut Rng,
    recorded: &mut BTreeMap<String, Cause>,
) {
    if let (Act::Reaction { .. }, 0) = (causes[0].act, rng.below(2)) {
        let emoji = Emoji::ALL[rng.below(10)];
        let change =
            InboxUpdate::ChangeDetails { cause: causes[0], details: EventDetails::of_emoji(emoji) };
        let update = async |tx: &mut Connection| {
            tx.notifications().update(std::slice::from_ref(&change)).await
        };
        once(&workload.database, update).await;
    } else {
        withdraw(workload, causes, recorded).await;
    }
}

async fn withdraw(workload: &Workload, causes: &[Cause], recorded: &mut BTreeMap<String, Cause>) {
    withdraw_causes(&workload.database, causes, NOON).await;
    for cause in causes {
        recorded.remove(&key_of(cause));
    }
}

/// Marks the first notification or all notifications as read, until the workload ends.
async fn read(workload: Arc<Workload>) {
    let (mut rng, ana) = (Rng(99), workload.ana);
    while workload.acts.load(Ordering::Relaxed) < ACTS {
        let outcome: Result<()> =
            transaction_on(&mut workload.database.acquire().await.unwrap(), async |tx| {
                let list = list(tx, ana).await;
                let position = tx.notifications().find_inbox_position(ana).await?;
                match list.first() {
                    Some(first) if 0 < rng.clone().below(3) => {
                        tx.notifications()
                            .mark_read(&[NotificationRead {
                                owner: ana,
                                id: first.notification.id,
                                at: NOON,
                            }])
                            .await?;
                    }
                    _ => _ = tx.notifications().mark_all_read(ana, NOON, position.last_seq).await?,
                }
                Ok(())
            })
            .await;
        outcome.unwrap();
        rng.below(3);
        tokio::task::yield_now().await;
    }
}

/// Follows Ana's list, a few changes at a time, until the writers have stopped and no change is left. Returns the
/// notifications shown at the end.
async fn follow(workload: Arc<Workload>) -> BTreeMap<NotificationId, RenderedNotification> {
    let (mut shown, mut after) = (BTreeMap::new(), 0);
    let mut conn = workload.database.acquire().await.unwrap();
    loop {
        let is_over = workload.is_over.load(Ordering::SeqCst);
        let changes = conn.notifications().list_changes(workload.ana, after, 7).await.unwrap();
        if is_over && changes.is_empty() {
            return shown;
        }
        for change in changes {
            assert!(after < change.seq, "{} is returned again after {after}", change.seq);
            after = change.seq;
            match change.kind {
                InboxChangeKind::Upserted(rendered) => {
                    _ = shown.insert(rendered.notification.id, *rendered);
                }
                InboxChangeKind::Removed(id) => _ = shown.remove(&id),
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn record(database: &Database, events: Vec<Event>) -> RecordResult {
    once(database, async |tx| tx.notifications().record(&events).await).await
}

async fn withdraw_causes(database: &Database, causes: &[Cause], now: DateTime<Utc>) {
    once(database, async |tx| tx.notifications().withdraw(causes, now).await).await;
}

/// Runs a transaction without repeating it, so that a deadlock fails the test.
async fn once<T>(database: &Database, work: impl AsyncFnOnce(&mut Connection) -> Result<T>) -> T {
    transaction_on(&mut database.acquire().await.unwrap(), work).await.unwrap()
}

async fn list(conn: &mut Connection, owner: UserId) -> Vec<RenderedNotification> {
    let page = PageRequest::first(Limit::MAX);
    conn.notifications().list(NotificationQuery::of(owner).page(page)).await.unwrap().items
}

fn by_id(list: Vec<RenderedNotification>) -> BTreeMap<NotificationId, RenderedNotification> {
    list.into_iter().map(|rendered| (rendered.notification.id, rendered)).collect()
}

fn key_of(cause: &Cause) -> String {
    format!("{} {} {}", cause.recipient, cause.actor, cause.act.dedup_key())
}

/// The keys of all recorded causes, in the form of [`key_of`].
async fn recorded_keys(conn: &mut Connection) -> BTreeSet<String> {
    let sql = "SELECT concat_ws(' ', user_id, actor_id, notification_act(act, type, post_id, comment_id)) AS line
               FROM notifications WHERE act IS NOT NULL";
    crate::support::sql::lines(conn, sql).await.into_iter().collect()
}

/// Lists violations of the invariants of notifications (docs/rules.md#notification-invariants).
async fn find_violations(scenario: &Scenario) -> Vec<String> {
    crate::support::sql::lines(&mut scenario.database.connect().await, VIOLATIONS).await
}

const VIOLATIONS: &str = "
    SELECT 'invariant 1: ' || batch_key AS line FROM notifications
    WHERE parent_id IS NULL AND closed_at IS NULL AND batch_key IS NOT NULL
    GROUP BY user_id, batch_key HAVING count(*) > 1
    UNION ALL
    SELECT 'invariant 2: ' || batch.id FROM notifications AS batch, LATERAL (
        SELECT count(*) AS entries, count(DISTINCT actor_id) AS people FROM notifications WHERE parent_id = batch.id
    ) AS own
    WHERE is_batch AND (batch_count, actor_count) <> (entries, people)
    UNION ALL
    SELECT 'invariant 3: ' || min(notification_act(act, type, post_id, comment_id)) FROM notifications WHERE act IS NOT NULL
    GROUP BY user_id, actor_id, notification_act(act, type, post_id, comment_id) HAVING count(*) > 1
    UNION ALL
    SELECT 'invariant 6: ' || entry.id FROM notifications AS entry JOIN notifications AS batch ON batch.id = entry.parent_id
    WHERE batch.read AND NOT entry.read
    UNION ALL
    SELECT 'parent of a child: ' || entry.id
    FROM notifications AS entry JOIN notifications AS batch ON batch.id = entry.parent_id
    WHERE NOT batch.is_batch OR (entry.user_id, entry.batch_key) <> (batch.user_id, batch.batch_key)
    UNION ALL
    SELECT 'content of a batch: ' || batch.id FROM notifications AS batch, LATERAL (
        SELECT actor_id, data, comment_id FROM notifications WHERE parent_id = batch.id
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS newest
    WHERE is_batch AND (batch.actor_id, batch.data) IS DISTINCT FROM (newest.actor_id, newest.data)
    UNION ALL
    SELECT 'both recorded and withdrawn: ' || it.act
    FROM withdrawn_notifications AS it JOIN notifications AS recorded USING (user_id, actor_id)
    WHERE it.act = notification_act(recorded.act, recorded.type, recorded.post_id, recorded.comment_id)";

async fn wait_for_lock_wait(scenario: &Scenario) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + TIMEOUT;
    while scenario.database.count(waiting).await == 0 {
        assert!(Instant::now() < deadline, "no statement waits");
    }
}

/// A pool with enough connections for real concurrency.
fn connect_pool(scenario: &Scenario) -> Database {
    scenario.database.pool_with(|config| {
        config
            .with_max_connections(16)
            .with_acquire_timeout(TIMEOUT)
            .with_statement_timeout(TIMEOUT)
    })
}

fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// A pseudo-random number generator (xorshift64) with reproducible numbers.
#[derive(Clone)]
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}
