//! Deletion of old notifications, removals and withdrawn notifications.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, WithdrawnNotification};
use grateful_storage::{NotificationRead, Repositories};

use super::scenario::Scenario;

#[tokio::test]
async fn deleting_old_notifications_deletes_read_ones_with_their_children_and_no_others() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 2] = scenario.create_users().await;
    scenario.notify_ana(&actors, scenario.heart()).await;
    scenario.notify_ana(&actors[..1], Act::FollowRequest).await;
    let ana = scenario.ana;
    let batch = scenario.list_for(ana).await[1].notification.id;
    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: ana, id: batch, at: scenario.now }])
        .await
        .unwrap();
    scenario.advance(TimeDelta::days(90));
    scenario.notify_ana(&actors[1..], Act::FollowRequest).await;
    let newest = scenario.list_for(ana).await[0].notification.id;
    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: ana, id: newest, at: scenario.now }])
        .await
        .unwrap();
    let before = scenario.now - TimeDelta::days(30);

    assert_eq!(scenario.conn.notifications().delete_read_before(before, 100).await.unwrap(), 1);

    assert_eq!(
        scenario.messages_for(ana).await,
        ["N wants to follow you", "* N wants to follow you"]
    );
    assert_eq!(scenario.count_notifications().await, 2);
    assert_eq!(scenario.conn.notifications().delete_read_before(before, 100).await.unwrap(), 0);
}

#[tokio::test]
async fn old_notifications_are_deleted_in_batches() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 5] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    scenario.conn.notifications().mark_all_read(scenario.ana, scenario.now, 0).await.unwrap();
    scenario.advance(TimeDelta::days(1));
    let mut batch_sizes = Vec::new();

    while batch_sizes.last() != Some(&0) {
        batch_sizes
            .push(scenario.conn.notifications().delete_read_before(scenario.now, 2).await.unwrap());
    }

    assert_eq!(batch_sizes, [2, 2, 1, 0]);
}

/// The act remains in effect: undoing it and repeating it creates a new notification.
#[tokio::test]
async fn an_expired_notification_cannot_be_restored() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    scenario.notify_ana(&[ben], scenario.heart()).await;
    scenario.conn.notifications().mark_all_read(scenario.ana, scenario.now, 0).await.unwrap();
    scenario.advance(TimeDelta::days(90));
    scenario.conn.notifications().delete_read_before(scenario.now, 10).await.unwrap();

    scenario.withdraw(&[scenario.cause_for_ana(ben, scenario.heart())]).await;
    assert_eq!(scenario.count_notifications().await, 0);
    scenario.notify_ana(&[ben], scenario.heart()).await;

    assert_eq!(scenario.messages_for(scenario.ana).await, ["* N liked your post"]);
}

#[tokio::test]
async fn old_removals_are_pruned_and_the_position_records_how_far() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    let mut removed_at = Vec::new();
    for actor in actors {
        scenario.withdraw(&[scenario.cause_for_ana(actor, Act::FollowRequest)]).await;
        removed_at.push(scenario.now);
        scenario.advance(TimeDelta::hours(1));
    }
    let ana = scenario.ana;
    let numbers: Vec<_> = {
        let changes = scenario.conn.notifications().list_changes(ana, 0, 10).await.unwrap();
        changes.iter().map(|change| change.seq).collect()
    };

    let pruned = scenario.conn.notifications().prune_removals(removed_at[2], 1).await.unwrap();
    assert_eq!(pruned, 1);
    let position = scenario.conn.notifications().find_inbox_position(ana).await.unwrap();
    assert_eq!(position.forgotten_seq, numbers[0]);
    assert_eq!(scenario.conn.notifications().prune_removals(removed_at[2], 9).await.unwrap(), 1);
    assert_eq!(scenario.conn.notifications().prune_removals(removed_at[2], 9).await.unwrap(), 0);

    let position = scenario.conn.notifications().find_inbox_position(ana).await.unwrap();
    assert_eq!((position.forgotten_seq, position.last_seq), (numbers[1], numbers[2]));
    assert_eq!(scenario.conn.notifications().list_changes(ana, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn withdrawn_notifications_are_pruned_after_the_restore_window() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], Act::FollowRequest).await;
    scenario.withdraw(&[scenario.cause_for_ana(ben, Act::FollowRequest)]).await;
    scenario.advance(WithdrawnNotification::RESTORE_WINDOW);
    scenario.withdraw(&[scenario.cause_for_ana(caro, Act::FollowRequest)]).await;
    scenario.advance(TimeDelta::seconds(1));

    let before = scenario.now - WithdrawnNotification::RESTORE_WINDOW;
    let pruned = scenario.conn.notifications().prune_withdrawn(before, 500).await.unwrap();

    assert_eq!(pruned, 1);
    let of_caro = format!("withdrawn_notifications WHERE actor_id = {caro}");
    assert_eq!(scenario.database.count(&of_caro).await, 1);
    scenario.notify_ana(&[ben], Act::FollowRequest).await;
    assert!(
        WithdrawnNotification::RESTORE_WINDOW
            < scenario.only_notification().await.notification.created_at - scenario.post.created_at
    );
}
