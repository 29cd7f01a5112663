//! Listing, counting and marking as read (docs/rules.md#notification-invariants).

use chrono::TimeDelta;
use grateful_application::{Error, Resource, notifications};
use grateful_domain::NotificationId;
use grateful_domain::notification::Act;
use grateful_storage::Repositories;
use grateful_testkit::{MAX_PAGE, NOON, Scenario, commit_once_blocking};

use crate::support::{event, insert_post, is_read};

#[tokio::test]
async fn notifications_of_another_user_are_not_found() {
    let scenario = Scenario::create().await;
    let batch = create_batch(&scenario).await;

    let read = notifications::mark_read(&scenario.app, scenario.ben, batch).await;
    let children = notifications::list_children(&scenario.app, scenario.ben, batch, MAX_PAGE).await;
    let unknown_id = NotificationId::from(uuid::Uuid::nil());
    let unknown = notifications::mark_read(&scenario.app, scenario.ana, unknown_id).await;

    for rejected in [read, unknown, children.map(drop)] {
        let is_not_found =
            matches!(rejected, Err(Error::NotFound { resource: Resource::Notification, .. }));
        assert!(is_not_found, "{rejected:?}");
    }
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
}

#[tokio::test]
async fn mark_all_read_returns_the_number_of_unread_top_level_notifications() {
    let scenario = Scenario::create().await;
    create_batch(&scenario).await;
    scenario.share_link(scenario.ben).await;
    scenario.comment(scenario.ben, "So kind").await;
    let listed = scenario.list(scenario.ana).await;
    notifications::mark_read(&scenario.app, scenario.ana, listed[0].notification.id).await.unwrap();

    let marked = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();
    let again = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();
    let without_notifications =
        notifications::mark_all_read(&scenario.app, scenario.caro).await.unwrap();

    assert_eq!((marked, again, without_notifications), (2, 0, 0));
    assert_eq!(scenario.database.count("notifications WHERE NOT read").await, 0);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 3));
}

#[tokio::test]
async fn mark_all_read_skips_notifications_that_arrive_after_the_call() {
    let scenario = Scenario::create().await;
    let batch = create_batch(&scenario).await;
    scenario.share_link(scenario.ben).await;
    let later = NOON + TimeDelta::seconds(1);
    let another = insert_post(&scenario.database, scenario.ana).await;
    let mut in_flight = scenario.database.begin("SELECT 1").await;
    let joins = event(scenario.ana, scenario.caro, Act::Reaction { post: scenario.post.id }, later);
    let starts = event(scenario.ana, scenario.caro, Act::Heart { post: another }, later);
    in_flight.notifications().record(&[joins, starts]).await.unwrap();

    let mark = notifications::mark_all_read(&scenario.app, scenario.ana);
    let (marked, ()) = tokio::join!(mark, commit_once_blocking(&scenario.database, in_flight, 1));

    assert_eq!(marked.unwrap(), 1, "the link");
    let list = scenario.list(scenario.ana).await;
    let unread: Vec<bool> = list.iter().map(|item| !is_read(item)).collect();
    assert_eq!(unread, [true, true, false]);
    assert!(list[..2].iter().any(|item| item.notification.id == batch));
    assert_eq!(scenario.counts(scenario.ana).await, (2, 3));
}

#[tokio::test]
async fn mark_all_read_includes_notifications_of_a_node_whose_clock_is_ahead() {
    let scenario = Scenario::create().await;
    let ahead = NOON + TimeDelta::hours(1);
    let heart = event(scenario.ana, scenario.ben, Act::Heart { post: scenario.post.id }, ahead);
    scenario.database.connect().await.notifications().record(&[heart]).await.unwrap();

    let marked = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();

    assert_eq!(marked, 1);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 1));
}

/// Creates a batch of two hearts on Ana's post.
async fn create_batch(scenario: &Scenario) -> NotificationId {
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    let list = scenario.list(scenario.ana).await;
    list.iter().find(|item| item.notification.batch.is_some()).unwrap().notification.id
}
