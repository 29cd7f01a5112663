use chrono::TimeDelta;
use grateful_domain::notification::Act;
use grateful_domain::{NotificationType, Page};
use grateful_storage::{NotificationCounts, NotificationQuery, NotificationStats, Repositories};

use super::scenario::{World, new_id};
use crate::support::pages::first_page;

#[tokio::test]
async fn nobody_reads_what_somebody_else_was_told() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let batch = world.only().await.notification.id;
    let entry = world.entries(batch).await[0].notification.id;
    let now = world.now;

    let mut notifications = world.conn.notifications();
    for id in [batch, entry] {
        assert!(!notifications.exists(ben, id).await.unwrap());
        assert!(!notifications.mark_read(ben, id, now).await.unwrap());
    }
    let entries = notifications
        .list(NotificationQuery::of(ben).children_of(batch).page(first_page(10)))
        .await
        .unwrap();
    assert_eq!(entries.items, []);
    let list = notifications.list(NotificationQuery::of(ben).page(first_page(10))).await.unwrap();
    assert_eq!(list, Page { items: vec![], next: None, total: None });
    assert_eq!(notifications.mark_all_read(ben, now, i64::MAX).await.unwrap(), 0);
    assert_eq!(notifications.list_changes(ben, 0, 10).await.unwrap(), []);
    let counts = notifications.count(ben).await.unwrap();
    assert_eq!(counts, NotificationCounts { unread: 0, total: 0 });
    assert_eq!(world.told(world.ana).await, ["* 2 people engaged with your post"]);
}

#[tokio::test]
async fn what_exists_is_what_is_in_the_list_or_below_it() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let batch = world.only().await.notification.id;
    let entry = world.entries(batch).await[1].notification.id;

    for (id, exists) in [(batch, true), (entry, true), (new_id(), false)] {
        assert_eq!(world.conn.notifications().exists(world.ana, id).await.unwrap(), exists);
    }
}

#[tokio::test]
async fn reading_a_batch_reads_its_entries_and_an_entry_leaves_its_batch() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let (ana, batch) = (world.ana, world.only().await.notification.id);
    let entry = world.entries(batch).await[0].notification.id;

    assert!(world.conn.notifications().mark_read(ana, entry, world.now).await.unwrap());
    assert_eq!(world.told(ana).await, ["* 2 people engaged with your post"]);
    let first_time = world.now;
    world.wait(TimeDelta::minutes(1));
    assert!(world.conn.notifications().mark_read(ana, batch, world.now).await.unwrap());

    assert_eq!(world.told(ana).await, ["2 people engaged with your post"]);
    let entries = world.entries(batch).await;
    let read: Vec<_> = entries.iter().map(|it| it.notification.read_at).collect();
    assert_eq!(read, [Some(first_time), Some(world.now)]);
}

#[tokio::test]
async fn reading_again_is_fine_and_keeps_the_first_time() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    let id = world.only().await.notification.id;
    assert!(world.conn.notifications().mark_read(world.ana, id, world.now).await.unwrap());
    let before = world.only().await;
    world.wait(TimeDelta::minutes(1));

    assert!(world.conn.notifications().mark_read(world.ana, id, world.now).await.unwrap());

    assert_eq!(world.only().await, before);
    assert!(!world.conn.notifications().mark_read(world.ana, new_id(), world.now).await.unwrap());
}

#[tokio::test]
async fn reading_all_reads_what_was_there_when_it_was_asked() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    world.tell_ana(&people[..2], world.heart()).await;
    world.tell_ana(&people[..1], Act::FollowRequest).await;
    let (ana, asked_at) = (world.ana, world.now);
    let asked = world.conn.notifications().find_inbox_position(ana).await.unwrap();
    world.wait(TimeDelta::minutes(1));
    world.tell_ana(&people[1..2], Act::FollowRequest).await;
    world.tell_ana(&people[2..], world.heart()).await;

    let marked =
        world.conn.notifications().mark_all_read(ana, asked_at, asked.last_seq).await.unwrap();

    // What was joined since is news.
    assert_eq!(marked, 1);
    assert_eq!(
        world.told(ana).await,
        ["* 3 people engaged with your post", "* N wants to follow you", "N wants to follow you"]
    );
}

/// The clock of the node that told it is ahead, but it was seen by whoever asked.
#[tokio::test]
async fn reading_all_reads_what_was_seen_whatever_clocks_say() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let asked_at = world.now;
    world.wait(TimeDelta::seconds(5));
    world.tell_ana(&[ben, caro], world.heart()).await;
    let ana = world.ana;
    let asked = world.conn.notifications().find_inbox_position(ana).await.unwrap();

    let marked =
        world.conn.notifications().mark_all_read(ana, asked_at, asked.last_seq).await.unwrap();

    assert_eq!(marked, 1);
    let batch = world.only().await.notification;
    assert_eq!(batch.read_at, Some(asked_at));
    let entries = world.entries(batch.id).await;
    assert!(entries.iter().all(|it| it.notification.read_at.is_some()));
    assert_eq!(
        world.conn.notifications().mark_all_read(ana, asked_at, asked.last_seq).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn the_list_is_counted_and_not_what_is_below_it() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    world.tell_ana(&[ben], Act::FollowRequest).await;
    let (ana, newest) = (world.ana, world.list_of(world.ana).await[0].notification.id);
    world.conn.notifications().mark_read(ana, newest, world.now).await.unwrap();

    let counts = world.conn.notifications().count(ana).await.unwrap();

    assert_eq!(counts, NotificationCounts { unread: 1, total: 2 });
}

#[tokio::test]
async fn stats_count_acts_of_the_last_hour_and_day() {
    let mut world = World::create().await;
    let people: [_; 4] = world.people().await;
    for (person, hours) in people.into_iter().zip([23, 2, 0, 0]) {
        world.record(&[world.to_ana(person, world.heart())]).await;
        world.wait(TimeDelta::hours(hours));
    }
    world.record(&[world.to_ana(people[0], Act::Follow)]).await;

    let stats = async |world: &mut World, kind| {
        world.conn.notifications().stats(world.ana, kind, world.now).await.unwrap()
    };

    // The first is 25 hours old; of the three others one started by itself, and a batch is no act.
    let all =
        NotificationStats { last_hour: 3, last_day: 4, total: 5, remaining: None, held_back: 0 };
    assert_eq!(stats(&mut world, None).await, all);
    let likes = NotificationStats {
        last_hour: 2,
        last_day: 3,
        total: 4,
        remaining: Some(19),
        held_back: 0,
    };
    assert_eq!(stats(&mut world, Some(NotificationType::Like)).await, likes);
    let batches = stats(&mut world, Some(NotificationType::PostInteraction)).await;
    assert_eq!((batches.last_day, batches.total, batches.remaining), (1, 1, Some(20)));
    let mentions = stats(&mut world, Some(NotificationType::Mention)).await;
    assert_eq!((mentions.total, mentions.remaining), (0, Some(20)));
}
