//! Blocks: the follows that they end, and the notifications that they withdraw (docs/rules.md#follows-and-blocks).

use grateful_application::{follows, hearts};
use grateful_domain::FollowState::{Active, Blocked, None, Pending};
use grateful_testkit::{Scenario, a_post};

#[tokio::test]
async fn a_block_ends_follows_and_requests_in_both_directions() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ana, scenario.ben).await;
    scenario.follow(scenario.ben, scenario.ana).await;
    scenario.follow(scenario.caro, scenario.sue).await;
    scenario.follow(scenario.sue, scenario.caro).await;
    assert_eq!(scenario.relationship(scenario.caro, scenario.sue).await, (Pending, Active));

    scenario.block(scenario.ana, scenario.ben).await;
    scenario.block(scenario.caro, scenario.sue).await;

    assert_eq!(scenario.relationship(scenario.ana, scenario.ben).await, (None, Blocked));
    assert_eq!(scenario.relationship(scenario.caro, scenario.sue).await, (None, Blocked));
    assert_eq!(
        scenario.database.count("users WHERE followers_count + following_count > 0").await,
        0
    );
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_block_withdraws_only_the_notifications_between_the_two_users() {
    let scenario = Scenario::create().await;
    let anas_post = a_post().by(scenario.ana).insert_into(&scenario.database).await.id;
    let bens_post = a_post().by(scenario.ben).insert_into(&scenario.database).await.id;
    hearts::add(&scenario.app, scenario.ben, anas_post).await.unwrap();
    hearts::add(&scenario.app, scenario.caro, anas_post).await.unwrap();
    hearts::add(&scenario.app, scenario.ana, bens_post).await.unwrap();
    scenario.follow(scenario.ben, scenario.ana).await;
    scenario.follow(scenario.ana, scenario.ben).await;
    scenario.follow(scenario.caro, scenario.ben).await;

    scenario.block(scenario.ana, scenario.ben).await;

    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
    assert_eq!(scenario.messages(scenario.ben).await, ["caro started following you"]);
    assert_eq!(scenario.database.count("likes").await, 3);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn blocking_and_unblocking_a_stranger_leaves_no_row_and_no_notification() {
    let scenario = Scenario::create().await;

    for _ in 0..2 {
        scenario.block(scenario.ana, scenario.ben).await;
        follows::unblock(&scenario.app, scenario.ana, scenario.ben).await.unwrap();
    }

    assert_eq!(scenario.relationship(scenario.ana, scenario.ben).await, (None, None));
    assert_eq!(scenario.database.count("follows").await, 0);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_block_that_is_removed_before_its_job_has_run_leaves_no_notification_of_the_follows_it_ended()
 {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ana, scenario.ben).await;
    scenario.follow(scenario.ben, scenario.ana).await;
    scenario.fail_background_jobs().await;

    scenario.block(scenario.ana, scenario.ben).await;
    scenario.assert_consistent().await;
    follows::unblock(&scenario.app, scenario.ana, scenario.ben).await.unwrap();

    assert_eq!(scenario.database.count("background_jobs").await, 1);
    assert_eq!(scenario.messages(scenario.ana).await, [""; 0]);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_block_during_a_heart_leaves_no_notification() {
    let scenario = Scenario::create().await;
    let post = a_post().by(scenario.ana).insert_into(&scenario.database).await.id;

    let (block, heart) = tokio::join!(
        follows::block(&scenario.app, scenario.ana, scenario.ben),
        hearts::add(&scenario.app, scenario.ben, post),
    );

    block.unwrap();
    // The heart came before the block, or was rejected.
    assert_eq!(scenario.database.count("likes").await, i64::from(heart.is_ok()));
    assert_eq!(scenario.messages(scenario.ana).await, [""; 0]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn two_users_can_block_each_other_concurrently() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ana, scenario.ben).await;
    scenario.follow(scenario.ben, scenario.ana).await;

    let (by_ana, by_ben) = tokio::join!(
        follows::block(&scenario.app, scenario.ana, scenario.ben),
        follows::block(&scenario.app, scenario.ben, scenario.ana),
    );

    by_ana.unwrap();
    by_ben.unwrap();
    assert_eq!(scenario.relationship(scenario.ana, scenario.ben).await, (Blocked, Blocked));
    scenario.assert_consistent().await;
}
