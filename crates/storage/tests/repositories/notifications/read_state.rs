//! Access to notifications, their read state, counts and statistics.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, NotificationCounts, NotificationStats};
use grateful_domain::{NotificationType, Page};
use grateful_storage::{NotificationQuery, NotificationRead, Repositories};

use super::scenario::{Scenario, new_id};
use crate::support::pages::first_page;

#[tokio::test]
async fn notifications_of_another_user_are_inaccessible() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    let batch = scenario.only_notification().await.notification.id;
    let child = scenario.children_of(batch).await[0].notification.id;
    let now = scenario.now;

    let mut notifications = scenario.conn.notifications();
    for id in [batch, child] {
        assert!(!notifications.exists(ben, id).await.unwrap());
        let read = NotificationRead { owner: ben, id, at: now };
        assert_eq!(notifications.mark_read(&[read]).await.unwrap(), [false]);
    }
    let children = notifications
        .list(NotificationQuery::of(ben).children_of(batch).page(first_page(10)))
        .await
        .unwrap();
    assert_eq!(children.items, []);
    let list = notifications.list(NotificationQuery::of(ben).page(first_page(10))).await.unwrap();
    assert_eq!(list, Page { items: vec![], next: None, total: None });
    assert_eq!(notifications.mark_all_read(ben, now, i64::MAX).await.unwrap().0, 0);
    assert_eq!(notifications.list_changes(ben, 0, 10).await.unwrap(), []);
    let counts = notifications.find_counts(ben).await.unwrap();
    assert_eq!(counts, NotificationCounts { unread: 0, total: 0 });
    assert_eq!(scenario.messages_for(scenario.ana).await, ["* 2 people engaged with your post"]);
}

#[tokio::test]
async fn top_level_notifications_and_children_exist_for_their_owner() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    let batch = scenario.only_notification().await.notification.id;
    let child = scenario.children_of(batch).await[1].notification.id;

    for (id, exists) in [(batch, true), (child, true), (new_id(), false)] {
        assert_eq!(scenario.conn.notifications().exists(scenario.ana, id).await.unwrap(), exists);
    }
}

#[tokio::test]
async fn marking_all_read_excludes_activity_after_the_request() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    scenario.notify_ana(&actors[..2], scenario.heart()).await;
    scenario.notify_ana(&actors[..1], Act::FollowRequest).await;
    let (ana, requested_at) = (scenario.ana, scenario.now);
    let seen = scenario.conn.notifications().find_inbox_position(ana).await.unwrap();
    scenario.advance(TimeDelta::minutes(1));
    scenario.notify_ana(&actors[1..2], Act::FollowRequest).await;
    scenario.notify_ana(&actors[2..], scenario.heart()).await;

    let marked = scenario
        .conn
        .notifications()
        .mark_all_read(ana, requested_at, seen.last_seq)
        .await
        .unwrap()
        .0;

    // The batch got a child after the request, so it stays unread.
    assert_eq!(marked, 1);
    assert_eq!(
        scenario.messages_for(ana).await,
        ["* 3 people engaged with your post", "* N wants to follow you", "N wants to follow you"]
    );
}

/// The clock of the node that recorded it is ahead, but the client had seen it when it sent the request.
#[tokio::test]
async fn marking_all_read_covers_notifications_that_the_client_has_seen_despite_clock_skew() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let requested_at = scenario.now;
    scenario.advance(TimeDelta::seconds(5));
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    let ana = scenario.ana;
    let seen = scenario.conn.notifications().find_inbox_position(ana).await.unwrap();

    let marked = scenario
        .conn
        .notifications()
        .mark_all_read(ana, requested_at, seen.last_seq)
        .await
        .unwrap()
        .0;

    assert_eq!(marked, 1);
    let batch = scenario.only_notification().await.notification;
    assert_eq!(batch.read_at, Some(requested_at));
    let children = scenario.children_of(batch.id).await;
    assert!(children.iter().all(|child| child.notification.read_at.is_some()));
    assert_eq!(
        scenario
            .conn
            .notifications()
            .mark_all_read(ana, requested_at, seen.last_seq)
            .await
            .unwrap()
            .0,
        0
    );
}

#[tokio::test]
async fn stats_count_acts_of_the_last_hour_and_day() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 4] = scenario.create_users().await;
    for (actor, hours) in actors.into_iter().zip([23, 2, 0, 0]) {
        scenario.record(&[scenario.cause_for_ana(actor, scenario.heart())]).await;
        scenario.advance(TimeDelta::hours(hours));
    }
    scenario.record(&[scenario.cause_for_ana(actors[0], Act::Follow)]).await;

    let stats = async |scenario: &mut Scenario, kind| {
        scenario.conn.notifications().stats(scenario.ana, kind, scenario.now).await.unwrap()
    };

    // The first heart is 25 hours old. Of the other three, one started a notification, and a batch is no act.
    let all =
        NotificationStats { last_hour: 3, last_day: 4, total: 5, remaining: None, held_back: 0 };
    assert_eq!(stats(&mut scenario, None).await, all);
    let likes = NotificationStats {
        last_hour: 2,
        last_day: 3,
        total: 4,
        remaining: Some(19),
        held_back: 0,
    };
    assert_eq!(stats(&mut scenario, Some(NotificationType::Like)).await, likes);
    let batches = stats(&mut scenario, Some(NotificationType::PostInteraction)).await;
    assert_eq!((batches.last_day, batches.total, batches.remaining), (1, 1, Some(20)));
    let mentions = stats(&mut scenario, Some(NotificationType::Mention)).await;
    assert_eq!((mentions.total, mentions.remaining), (0, Some(20)));
}
