//! Many who tell, take back, read and follow at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use grateful_domain::notification::{Act, BatchCounts, Cause, Event, RenderedNotification};
use grateful_domain::{Emoji, Limit, NotificationId, PageRequest, PostId, ShareId, UserId};
use grateful_storage::{
    Connection, Database, InboxChangeKind, NotificationCounts, NotificationQuery, RecordResult,
    Repositories, Result, StorageError, Transient,
};
use grateful_testkit::{NOON, a_post};
use uuid::Uuid;

use super::scenario::{World, event};

/// How long they go on.
const LONG: Duration = Duration::from_millis(1_500);
/// Far more than anything here takes that does not hang.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_hearts_at_once_make_one_batch_of_sixty_four() {
    let mut world = World::create().await;
    let people: [UserId; 64] = world.people().await;
    let (ana, act, db) = (world.ana, world.heart(), pool(&world));

    join_all(people.map(async |actor| {
        let told = event(Cause { recipient: ana, actor, act }, NOON);
        tell(&db, vec![told]).await
    }))
    .await;

    assert_eq!(
        world.only().await.notification.batch,
        Some(BatchCounts { child_count: 64, actor_count: 64 })
    );
    assert_eq!(breaches(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_act_that_arrives_many_times_at_once_is_told_once() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let db = pool(&world);
    let causes = [ben, caro].map(|actor| world.to_ana(actor, world.heart()));

    join_all((0..16).map(async |number| {
        let told = event(causes[number % 2], NOON);
        tell(&db, vec![told]).await
    }))
    .await;

    assert_eq!(
        world.only().await.notification.batch,
        Some(BatchCounts { child_count: 2, actor_count: 2 })
    );
    assert_eq!(world.rows().await, 3);
}

/// Each tells the same two people, every other one in the other order.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_tells_several_people_does_not_meet_others_head_on() {
    let world = World::create().await;
    let [ben, caro] = world.people().await;
    let senders: [UserId; 16] = world.people().await;
    let (db, post) = (pool(&world), world.post.id);

    join_all(senders.into_iter().enumerate().map(async |(number, actor)| {
        let share = ShareId::from(Uuid::from_u128(number.try_into().unwrap()));
        let mut to = [ben, caro, world.ana];
        to.rotate_left(number % 3);
        let act = Act::MessageShare { post, share };
        let told = to.map(|recipient| event(Cause { recipient, actor, act }, NOON)).to_vec();
        tell(&db, told).await;
        let causes = to.map(|recipient| Cause { recipient, actor, act });
        withdraw_at(&db, &causes, NOON).await;
    }))
    .await;

    assert_eq!(world.rows().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_keeps_the_laws_while_many_do_and_undo_and_its_owner_reads() {
    let world = World::create().await;
    let people: [UserId; 12] = world.people().await;
    let stage = Arc::new(Stage {
        db: pool(&world),
        ana: world.ana,
        people: people.to_vec(),
        posts: [world.post.id, a_post().by(world.ana).insert_into(&world.database).await.id],
        until: Instant::now() + LONG,
        is_over: AtomicBool::new(false),
        acts: AtomicU32::new(0),
    });

    let doing = (0..people.len()).map(|number| tokio::spawn(toggle(stage.clone(), number)));
    let reading = [tokio::spawn(read(stage.clone())), tokio::spawn(read(stage.clone()))];
    let following = tokio::spawn(follow(stage.clone()));
    let mut told = BTreeSet::new();
    for outcome in join_all(doing).await {
        told.extend(outcome.unwrap());
    }
    for outcome in join_all(reading).await {
        outcome.unwrap();
    }
    stage.is_over.store(true, Ordering::SeqCst);
    let followed = following.await.unwrap();

    assert!(100 < stage.acts.load(Ordering::Relaxed), "{:?}", stage.acts);
    assert_eq!(breaches(&world).await, [""; 0]);
    let mut conn = world.database.connect().await;
    assert_eq!(entries(&mut conn).await, told);
    let list = list(&mut conn, world.ana).await;
    assert_eq!(by_id(list), followed);
    let counts = conn.notifications().count(world.ana).await.unwrap();
    let unread = followed.values().filter(|it| it.notification.read_at.is_none()).count();
    assert_eq!(counts, NotificationCounts { unread: n(unread), total: n(followed.len()) });
}

/// The numbers of the first are lower, but it takes longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_not_seen_before_one_with_a_lower_number() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let ana = world.ana;
    let [first, second] = [ben, caro].map(|it| world.event(world.to_ana(it, Act::FollowRequest)));
    let mut slow = world.database.connect().await;
    slow.batch_execute("BEGIN").await.unwrap();
    slow.notifications().record(&[first]).await.unwrap();
    let db = pool(&world);
    let waiting = tokio::spawn(async move { tell(&db, vec![second]).await });
    wait_until_somebody_waits(&world).await;

    let meanwhile = world.conn.notifications().list_changes(ana, 0, 10).await.unwrap();
    slow.batch_execute("COMMIT").await.unwrap();
    waiting.await.unwrap();
    let changes = world.conn.notifications().list_changes(ana, 0, 10).await.unwrap();

    assert_eq!(meanwhile, []);
    let by: Vec<_> = changes
        .iter()
        .map(|change| match &change.what {
            InboxChangeKind::Shown(seen) => seen.notification.actor,
            InboxChangeKind::Removed(_) => None,
        })
        .collect();
    assert_eq!(by, [Some(ben), Some(caro)]);
}

/// Old ones go while others come back to them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_retired_while_acts_are_undone_and_done_again_leaves_no_trace() {
    let mut world = World::create().await;
    let people: [UserId; 8] = world.people().await;
    world.tell_ana(&people, world.heart()).await;
    world.conn.notifications().mark_all_read(world.ana, world.now, i64::MAX).await.unwrap();
    let db = pool(&world);
    let (ana, act, now) = (world.ana, world.heart(), world.now);

    let toggling = people.map(async |actor| {
        let cause = Cause { recipient: ana, actor, act };
        for _ in 0..10 {
            withdraw_at(&db, &[cause], now).await;
            tell(&db, vec![event(cause, now)]).await;
        }
    });
    let retiring = async {
        for _ in 0..20 {
            let retired: Result<i64, Final> = db
                .transaction(async |tx| Ok(tx.notifications().delete_read_before(now, 10).await?))
                .await;
            retired.unwrap();
        }
    };
    tokio::join!(join_all(toggling), retiring);

    assert_eq!(breaches(&world).await, [""; 0]);
    assert_eq!(entries(&mut world.conn).await.len(), 8);
}

/// Who takes part, and for how long.
struct Stage {
    db: Database,
    ana: UserId,
    people: Vec<UserId>,
    posts: [PostId; 2],
    until: Instant,
    /// Whether all who write have stopped.
    is_over: AtomicBool,
    acts: AtomicU32,
}

/// Does this and that, mostly to Ana, and takes it back. Returns what is told in the end: to whom, by whom, of what.
async fn toggle(stage: Arc<Stage>, number: usize) -> BTreeSet<String> {
    let (mut dice, me) = (Dice(7 + n(number).unsigned_abs()), stage.people[number]);
    let mut told: BTreeMap<String, Cause> = BTreeMap::new();
    let mut shares = 0;
    while Instant::now() < stage.until {
        stage.acts.fetch_add(1, Ordering::Relaxed);
        let post = stage.posts[dice.below(2)];
        let other = stage.people[(number + 1 + dice.below(3)) % stage.people.len()];
        let act = match dice.below(5) {
            0 | 1 => Act::Heart { post },
            2 => Act::Reaction { post },
            3 => Act::Follow,
            _ => {
                shares += 1;
                let share = Uuid::from_u128(u128::try_from(number * 100_000 + shares).unwrap());
                Act::MessageShare { post, share: share.into() }
            }
        };
        let mut causes = vec![Cause { recipient: stage.ana, actor: me, act }];
        if let Act::MessageShare { .. } = act {
            causes.push(Cause { recipient: other, actor: me, act });
            causes.rotate_left(dice.below(2));
        }
        if told.contains_key(&name(&causes[0])) {
            undo_or_change(&stage, &causes, &mut dice, &mut told).await;
        } else {
            let events = causes.iter().map(|cause| event(*cause, NOON)).collect();
            let recorded = tell(&stage.db, events).await;
            let is_held_back =
                |cause: &Cause| recorded.held_back.iter().any(|it| it.recipient == cause.recipient);
            let news = causes.into_iter().filter(|cause| !is_held_back(cause));
            told.extend(news.map(|cause| (name(&cause), cause)));
        }
        // Messages would fill the lists: each is taken back before the third.
        if let Some(message) =
            told.values().find(|it| matches!(it.act, Act::MessageShare { .. })).copied()
            && shares % 3 == 0
        {
            withdraw(&stage, &[message], &mut told).await;
        }
    }
    told.into_keys().collect()
}

async fn undo_or_change(
    stage: &Stage,
    causes: &[Cause],
    dice: &mut Dice,
    told: &mut BTreeMap<String, Cause>,
) {
    if let (Act::Reaction { .. }, 0) = (causes[0].act, dice.below(2)) {
        let emoji = Emoji::ALL[dice.below(10)];
        let changed: Result<(), Final> = stage
            .db
            .transaction(async |tx| {
                Ok(tx.notifications().update_reaction(causes[0], emoji, NOON).await?)
            })
            .await;
        changed.unwrap();
    } else {
        withdraw(stage, causes, told).await;
    }
}

async fn withdraw(stage: &Stage, causes: &[Cause], told: &mut BTreeMap<String, Cause>) {
    withdraw_at(&stage.db, causes, NOON).await;
    for cause in causes {
        told.remove(&name(cause));
    }
}

/// Reads whatever stands on top, or all.
async fn read(stage: Arc<Stage>) {
    let (mut dice, ana) = (Dice(99), stage.ana);
    while Instant::now() < stage.until {
        let outcome: Result<(), Final> = stage
            .db
            .transaction(async |tx| {
                let list = list(tx, ana).await;
                let asked = tx.notifications().find_inbox_position(ana).await?;
                match list.first() {
                    Some(top) if 0 < dice.clone().below(3) => {
                        tx.notifications().mark_read(ana, top.notification.id, NOON).await?;
                    }
                    _ => _ = tx.notifications().mark_all_read(ana, NOON, asked.last_seq).await?,
                }
                Ok(())
            })
            .await;
        outcome.unwrap();
        dice.below(3);
        tokio::task::yield_now().await;
    }
}

/// Follows Ana's list, a few changes at a time, until nobody writes any more and everything was given.
async fn follow(stage: Arc<Stage>) -> BTreeMap<NotificationId, RenderedNotification> {
    let (mut shown, mut after) = (BTreeMap::new(), 0);
    let mut conn = stage.db.acquire().await.unwrap();
    loop {
        let is_over = stage.is_over.load(Ordering::SeqCst);
        let changes = conn.notifications().list_changes(stage.ana, after, 7).await.unwrap();
        if is_over && changes.is_empty() {
            return shown;
        }
        for change in changes {
            assert!(after < change.seq, "{} is given again behind {after}", change.seq);
            after = change.seq;
            match change.what {
                InboxChangeKind::Shown(seen) => _ = shown.insert(seen.notification.id, *seen),
                InboxChangeKind::Removed(id) => _ = shown.remove(&id),
            }
        }
        tokio::task::yield_now().await;
    }
}

async fn tell(db: &Database, events: Vec<Event>) -> RecordResult {
    let told: Result<RecordResult, Final> =
        db.transaction(async |tx| Ok(tx.notifications().record(&events).await?)).await;
    told.unwrap()
}

async fn withdraw_at(db: &Database, causes: &[Cause], now: DateTime<Utc>) {
    let withdrawn: Result<(), Final> =
        db.transaction(async |tx| Ok(tx.notifications().withdraw(causes, now).await?)).await;
    withdrawn.unwrap();
}

/// What went wrong, and is not tried again: who met others head on is found out.
#[derive(Debug)]
struct Final(#[expect(dead_code, reason = "it is printed")] StorageError);

impl From<StorageError> for Final {
    fn from(error: StorageError) -> Self {
        Self(error)
    }
}

impl Transient for Final {
    fn is_transient(&self) -> bool {
        false
    }
}

async fn list(conn: &mut Connection, owner: UserId) -> Vec<RenderedNotification> {
    let page = PageRequest::first(Limit::MAX);
    conn.notifications().list(NotificationQuery::of(owner).page(page)).await.unwrap().items
}

fn by_id(list: Vec<RenderedNotification>) -> BTreeMap<NotificationId, RenderedNotification> {
    list.into_iter().map(|it| (it.notification.id, it)).collect()
}

fn name(cause: &Cause) -> String {
    format!("{} {} {}", cause.recipient, cause.actor, cause.act.dedup_key())
}

/// Everything that is told, in the same words.
async fn entries(conn: &mut Connection) -> BTreeSet<String> {
    let sql = "SELECT concat_ws(' ', user_id, actor_id, act) AS line FROM notifications WHERE act IS NOT NULL";
    crate::support::sql::lines(conn, sql).await.into_iter().collect()
}

/// Where a list breaks a law of rules §4.
async fn breaches(world: &World) -> Vec<String> {
    crate::support::sql::lines(&mut world.database.connect().await, BREACHES).await
}

const BREACHES: &str = "
    SELECT 'law 1: ' || batch_key AS line FROM notifications
    WHERE parent_id IS NULL AND closed_at IS NULL AND batch_key IS NOT NULL
    GROUP BY user_id, batch_key HAVING count(*) > 1
    UNION ALL
    SELECT 'law 2: ' || batch.id FROM notifications AS batch, LATERAL (
        SELECT count(*) AS entries, count(DISTINCT actor_id) AS people FROM notifications WHERE parent_id = batch.id
    ) AS own
    WHERE is_batch AND (batch_count, actor_count) <> (entries, people)
    UNION ALL
    SELECT 'law 3: ' || act FROM notifications WHERE act IS NOT NULL
    GROUP BY user_id, actor_id, act HAVING count(*) > 1
    UNION ALL
    SELECT 'law 6: ' || entry.id FROM notifications AS entry JOIN notifications AS batch ON batch.id = entry.parent_id
    WHERE batch.read AND NOT entry.read
    UNION ALL
    SELECT 'what an entry is in: ' || entry.id
    FROM notifications AS entry JOIN notifications AS batch ON batch.id = entry.parent_id
    WHERE NOT batch.is_batch OR (entry.user_id, entry.batch_key) <> (batch.user_id, batch.batch_key)
    UNION ALL
    SELECT 'what a batch shows: ' || batch.id FROM notifications AS batch, LATERAL (
        SELECT actor_id, data, comment_id FROM notifications WHERE parent_id = batch.id
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS newest
    WHERE is_batch AND (batch.actor_id, batch.data) <> (newest.actor_id, newest.data)
    UNION ALL
    SELECT 'both told and withdrawn: ' || act
    FROM withdrawn_notifications JOIN notifications USING (user_id, actor_id, act)";

async fn wait_until_somebody_waits(world: &World) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let give_up = Instant::now() + SOON;
    while world.database.count(waiting).await == 0 {
        assert!(Instant::now() < give_up, "nobody waits");
    }
}

/// Enough connections that they really meet.
fn pool(world: &World) -> Database {
    world.database.pool_with(|config| {
        config.with_max_connections(16).with_acquire_timeout(SOON).with_statement_timeout(SOON)
    })
}

fn n(number: usize) -> i64 {
    i64::try_from(number).unwrap()
}

/// The same numbers each time: xorshift64.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}
