//! Notifications written by a node whose clock was 30 days ahead, seen from a node whose clock is right.

use chrono::TimeDelta;
use grateful_application::{hearts, notifications};
use grateful_domain::NotificationType;
use grateful_testkit::Scenario;

const A_MONTH: TimeDelta = TimeDelta::days(30);

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
