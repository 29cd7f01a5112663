//! Blocks: what they end, take back and keep out.

use grateful_application::{follows, hearts};
use grateful_domain::FollowState::{Active, Blocked, None, Pending};
use grateful_testkit::a_post;

use crate::support::Stage;

#[tokio::test]
async fn a_block_ends_what_there_was_both_ways() {
    let stage = Stage::set().await;
    stage.follow(stage.ana, stage.ben).await;
    stage.follow(stage.ben, stage.ana).await;
    stage.follow(stage.caro, stage.sue).await;
    stage.follow(stage.sue, stage.caro).await;
    assert_eq!(stage.relation(stage.caro, stage.sue).await, (Pending, Active));

    stage.block(stage.ana, stage.ben).await;
    stage.block(stage.caro, stage.sue).await;

    assert_eq!(stage.relation(stage.ana, stage.ben).await, (None, Blocked));
    assert_eq!(stage.relation(stage.caro, stage.sue).await, (None, Blocked));
    assert_eq!(stage.database.count("users WHERE followers_count + following_count > 0").await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_block_takes_back_what_either_was_told_of_the_other_and_nothing_else() {
    let stage = Stage::set().await;
    let by_ana = a_post().by(stage.ana).insert_into(&stage.database).await.id;
    let by_ben = a_post().by(stage.ben).insert_into(&stage.database).await.id;
    hearts::add(&stage.app, stage.ben, by_ana).await.unwrap();
    hearts::add(&stage.app, stage.caro, by_ana).await.unwrap();
    hearts::add(&stage.app, stage.ana, by_ben).await.unwrap();
    stage.follow(stage.ben, stage.ana).await;
    stage.follow(stage.ana, stage.ben).await;
    stage.follow(stage.caro, stage.ben).await;

    stage.block(stage.ana, stage.ben).await;

    assert_eq!(stage.told(stage.ana).await, ["caro liked your post"]);
    assert_eq!(stage.told(stage.ben).await, ["caro started following you"]);
    assert_eq!(stage.database.count("likes").await, 3);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_block_of_a_stranger_and_its_end_leave_nothing() {
    let stage = Stage::set().await;

    for _ in 0..2 {
        stage.block(stage.ana, stage.ben).await;
        follows::unblock(&stage.app, stage.ana, stage.ben).await.unwrap();
    }

    assert_eq!(stage.relation(stage.ana, stage.ben).await, (None, None));
    assert_eq!(stage.database.count("follows").await, 0);
    assert_eq!(stage.told(stage.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_block_waits_for_a_heart_that_is_being_given_and_takes_back_what_it_told() {
    let stage = Stage::set().await;
    let post = a_post().by(stage.ana).insert_into(&stage.database).await.id;

    let (block, heart) = tokio::join!(
        follows::block(&stage.app, stage.ana, stage.ben),
        hearts::add(&stage.app, stage.ben, post),
    );

    block.unwrap();
    // Before the block, or not at all.
    assert_eq!(stage.database.count("likes").await, i64::from(heart.is_ok()));
    assert_eq!(stage.told(stage.ana).await, [""; 0]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn two_who_block_each_other_at_once_both_have() {
    let stage = Stage::set().await;
    stage.follow(stage.ana, stage.ben).await;
    stage.follow(stage.ben, stage.ana).await;

    let (one, other) = tokio::join!(
        follows::block(&stage.app, stage.ana, stage.ben),
        follows::block(&stage.app, stage.ben, stage.ana),
    );

    one.unwrap();
    other.unwrap();
    assert_eq!(stage.relation(stage.ana, stage.ben).await, (Blocked, Blocked));
    stage.assert_sound().await;
}
