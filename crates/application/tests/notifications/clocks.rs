//! Notifications written by a node whose clock was 30 days ahead, seen from a node whose clock is right.

use chrono::TimeDelta;
use grateful_application::{hearts, notifications};
use grateful_domain::NotificationType;

use crate::support::{Scenario, create_user_named};

const A_MONTH: TimeDelta = TimeDelta::days(30);

#[tokio::test]
async fn acts_form_a_new_batch_beside_one_from_the_future() {
    let scenario = Scenario::create().await;
    let [dan, eva] = [
        create_user_named(&scenario.database, "dan").await,
        create_user_named(&scenario.database, "eva").await,
    ];
    scenario.clock.advance(A_MONTH);
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    scenario.clock.advance(-A_MONTH);

    scenario.add_heart(dan).await;
    scenario.add_heart(eva).await;

    let counts = scenario.list(scenario.ana).await.into_iter().map(|item| item.notification.batch);
    let counts: Vec<i32> = counts.map(|batch| batch.unwrap().child_count).collect();
    assert_eq!(counts, [2, 2]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn what_was_withdrawn_in_the_future_can_be_notified_withdrawn_and_restored_again() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = scenario.only_notification(scenario.ana).await.notification.id;
    scenario.clock.advance(A_MONTH);
    scenario.remove_heart(scenario.ben).await;
    scenario.clock.advance(-A_MONTH);

    scenario.add_heart(scenario.ben).await;
    let after = scenario.only_notification(scenario.ana).await.notification.id;
    scenario.remove_heart(scenario.ben).await;
    scenario.add_heart(scenario.ben).await;

    assert_ne!(after, before);
    assert_eq!(scenario.only_notification(scenario.ana).await.notification.id, after);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn notifications_from_the_future_are_marked_read_and_are_not_of_the_last_day() {
    let scenario = Scenario::create().await;
    scenario.clock.advance(A_MONTH);
    scenario.add_heart(scenario.ben).await;
    scenario.share_link(scenario.ben).await;
    scenario.clock.advance(-A_MONTH);
    let ana = scenario.ana;

    let stats = notifications::get_stats(&scenario.app, ana, Some(NotificationType::Like)).await;
    let stats = stats.unwrap();
    assert_eq!((stats.last_hour, stats.last_day, stats.total), (0, 0, 1));
    let one = scenario.list(ana).await[0].notification.id;
    notifications::mark_read(&scenario.app, ana, one).await.unwrap();
    assert_eq!(scenario.counts(ana).await, (1, 2));
    scenario.mark_all_read(ana).await;
    assert_eq!(scenario.counts(ana).await, (0, 2));
    hearts::remove(&scenario.app, scenario.ben, scenario.post.id).await.unwrap();
    assert_eq!(scenario.counts(ana).await, (0, 1));
    scenario.assert_consistent().await;
}
