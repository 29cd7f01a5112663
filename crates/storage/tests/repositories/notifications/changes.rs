//! The sequence of changes of a list, which clients follow.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, EventDetails, InboxChangeKind, InboxUpdate};
use grateful_domain::{Emoji, NotificationId};
use grateful_storage::{InboxPosition, NotificationRead, Repositories};

use super::scenario::{Scenario, summary_line};

/// A user without notifications has position 0.
#[tokio::test]
async fn an_empty_list_is_at_position_zero() {
    let mut scenario = Scenario::create().await;

    let position = scenario.conn.notifications().find_inbox_position(scenario.ana).await.unwrap();

    assert_eq!(position, InboxPosition { last_seq: 0, forgotten_seq: 0 });
    assert_eq!(scenario.conn.notifications().list_changes(scenario.ana, 0, 10).await.unwrap(), []);
}

#[tokio::test]
async fn each_change_is_returned_once_in_order() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let mut after = 0;

    scenario.notify_ana(&[ben], scenario.heart()).await;
    let single = scenario.only_notification().await.notification.id;
    assert_eq!(changes(&mut scenario, &mut after).await, ["shown: * N liked your post"]);
    assert_eq!(changes(&mut scenario, &mut after).await, [""; 0]);

    scenario.notify_ana(&[caro], scenario.heart()).await;
    let batch = scenario.only_notification().await.notification.id;
    assert_eq!(
        changes(&mut scenario, &mut after).await,
        [format!("removed: {single}"), "shown: * 2 people engaged with your post".to_owned()]
    );

    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: scenario.ana, id: batch, at: scenario.now }])
        .await
        .unwrap();
    assert_eq!(
        changes(&mut scenario, &mut after).await,
        ["shown: 2 people engaged with your post"]
    );

    scenario.withdraw(&[scenario.cause_for_ana(ben, scenario.heart())]).await;
    assert_eq!(changes(&mut scenario, &mut after).await, ["shown: N liked your post"]);

    scenario.withdraw(&[scenario.cause_for_ana(caro, scenario.heart())]).await;
    assert_eq!(changes(&mut scenario, &mut after).await, [format!("removed: {batch}")]);
    let position = scenario.conn.notifications().find_inbox_position(scenario.ana).await.unwrap();
    assert!(after <= position.last_seq);
}

#[tokio::test]
async fn a_notification_that_changed_often_is_returned_with_its_last_change() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 5] = scenario.create_users().await;
    scenario.notify_ana(&actors[..1], Act::FollowRequest).await;
    scenario.notify_ana(&actors, scenario.heart()).await;

    let all = changes(&mut scenario, &mut 0).await;

    let shown: Vec<_> = all.iter().filter(|change| change.starts_with("shown")).collect();
    assert_eq!(
        shown,
        ["shown: * N wants to follow you", "shown: * 5 people engaged with your post"]
    );
}

#[tokio::test]
async fn changes_are_returned_in_pages_without_gaps() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 5] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    scenario.withdraw(&[scenario.cause_for_ana(actors[1], Act::FollowRequest)]).await;
    let mut numbers = Vec::new();

    loop {
        let after = numbers.last().copied().unwrap_or(0);
        let page =
            scenario.conn.notifications().list_changes(scenario.ana, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        numbers.extend(page.iter().map(|change| change.seq));
        if page.is_empty() {
            break;
        }
    }

    assert_eq!(numbers.len(), 5);
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

/// The list shows the same, so a stream has nothing to report.
#[tokio::test]
async fn updates_that_do_not_affect_the_list_are_no_change() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben], scenario.reaction()).await;
    scenario.notify_ana(&[caro], scenario.reaction()).await;
    let batch = scenario.only_notification().await.notification.id;
    let child = scenario.children_of(batch).await[0].notification.id;
    let mut after = 0;
    changes(&mut scenario, &mut after).await;

    for (actor, emoji) in [(ben, Emoji::Fire), (caro, Emoji::Hug)] {
        let cause = scenario.cause_for_ana(actor, scenario.reaction());
        scenario
            .conn
            .notifications()
            .update(&[InboxUpdate::ChangeDetails { cause, details: EventDetails::of_emoji(emoji) }])
            .await
            .unwrap();
    }
    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: scenario.ana, id: child, at: scenario.now }])
        .await
        .unwrap();
    scenario.notify_ana(&[ben], scenario.reaction()).await;
    scenario.withdraw(&[scenario.cause_for_ana(ben, scenario.heart())]).await;

    assert_eq!(changes(&mut scenario, &mut after).await, [""; 0]);
}

#[tokio::test]
async fn withdrawing_for_a_post_removes_its_notifications_from_the_list() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    let mention = Act::Mention { post: scenario.post.id, comment: None };
    scenario.record(&[scenario.cause_for_ana(ben, mention)]).await;
    let ids: Vec<_> = scenario
        .list_for(scenario.ana)
        .await
        .into_iter()
        .map(|rendered| rendered.notification.id)
        .collect();
    let mut after = 0;
    changes(&mut scenario, &mut after).await;

    scenario
        .conn
        .notifications()
        .withdraw_post_batch(scenario.post.id, 10, scenario.now)
        .await
        .unwrap();

    let mut removed = changes(&mut scenario, &mut after).await;
    removed.sort();
    let mut expected: Vec<_> = ids.iter().map(|id| format!("removed: {id}")).collect();
    expected.sort();
    assert_eq!(removed, expected);
}

#[tokio::test]
async fn marking_all_read_changes_each_unread_notification() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    let oldest: NotificationId = scenario.list_for(scenario.ana).await[2].notification.id;
    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: scenario.ana, id: oldest, at: scenario.now }])
        .await
        .unwrap();
    let mut after = 0;
    changes(&mut scenario, &mut after).await;

    let (ana, now) = (scenario.ana, scenario.now);
    scenario.conn.notifications().mark_all_read(ana, now, after).await.unwrap();

    let shown = changes(&mut scenario, &mut after).await;
    assert_eq!(shown, ["shown: N wants to follow you"; 2]);
    assert_eq!(
        scenario.conn.notifications().find_inbox_position(ana).await.unwrap().last_seq,
        after
    );
}

#[tokio::test]
async fn a_restored_notification_is_shown_after_its_removal() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    scenario.notify_ana(&[ben], scenario.heart()).await;
    let id = scenario.only_notification().await.notification.id;
    scenario.withdraw(&[scenario.cause_for_ana(ben, scenario.heart())]).await;
    scenario.advance(TimeDelta::hours(1));
    scenario.notify_ana(&[ben], scenario.heart()).await;

    let all = changes(&mut scenario, &mut 0).await;

    assert_eq!(all, [format!("removed: {id}"), "shown: * N liked your post".to_owned()]);
}

/// Returns the changes of Ana's list after this sequence number, and advances the number to the last one.
async fn changes(scenario: &mut Scenario, after: &mut i64) -> Vec<String> {
    let changes =
        scenario.conn.notifications().list_changes(scenario.ana, *after, 100).await.unwrap();
    assert!(changes.is_sorted_by(|a, b| a.seq < b.seq));
    *after = changes.last().map_or(*after, |change| change.seq);
    let lines = changes.into_iter().map(|change| match change.kind {
        InboxChangeKind::Upserted(rendered) => format!("shown: {}", summary_line(&rendered)),
        InboxChangeKind::Removed(id) => format!("removed: {id}"),
    });
    lines.collect()
}
