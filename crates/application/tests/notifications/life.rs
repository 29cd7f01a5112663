//! What happens to a notification as time goes by.

use chrono::TimeDelta;
use grateful_domain::notification::BatchCounts;
use grateful_domain::{Emoji, UserId};
use grateful_testkit::NOON;

use crate::support::{Stage, is_read, message, person};

#[tokio::test]
async fn a_second_act_within_an_hour_makes_a_batch_of_the_two() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    let single = stage.only(stage.ana).await.notification.id;
    stage.clock.advance(TimeDelta::minutes(59));

    stage.react(stage.caro, Emoji::Hug).await;

    let batch = stage.only(stage.ana).await;
    let it = &batch.notification;
    assert_ne!(it.id, single);
    assert_eq!(it.kind.code(), "post_interaction");
    assert_eq!(it.text.title, "New Engagement 💜");
    assert_eq!(it.text.message, "2 people engaged with your post");
    assert_eq!(it.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!(it.last_updated_at, NOON + TimeDelta::minutes(59));
    assert_eq!(it.data["emoji_code"], "hug");
    assert_eq!(batch.actor.unwrap().id, stage.caro);
    let people: Vec<UserId> = batch.actors.iter().map(|person| person.id).collect();
    assert_eq!(people, [stage.caro, stage.ben]);
    let entries = ["caro reacted to your post with 🤗", "ben liked your post"];
    assert_eq!(stage.entries(stage.ana, it.id).await, entries);
    assert_eq!(stage.counts(stage.ana).await, (1, 1));
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_second_act_after_more_than_an_hour_is_told_by_itself() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.clock.advance(TimeDelta::hours(1) + TimeDelta::seconds(1));

    stage.heart(stage.caro).await;

    assert_eq!(stage.told(stage.ana).await, ["caro liked your post", "ben liked your post"]);
    assert_eq!(stage.counts(stage.ana).await, (2, 2));
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_batch_is_joined_for_a_day_and_then_followed_by_something_new() {
    let stage = Stage::set().await;
    let mut late = Vec::new();
    for name in ["dora", "emil", "fay"] {
        late.push(person(&stage.database, name).await);
    }
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;

    stage.clock.advance(TimeDelta::hours(24));
    stage.heart(late[0]).await;
    assert_eq!(stage.told(stage.ana).await, ["3 people engaged with your post"]);
    stage.clock.advance(TimeDelta::seconds(1));
    stage.heart(late[1]).await;
    stage.heart(late[2]).await;

    let told = ["2 people engaged with your post", "3 people engaged with your post"];
    assert_eq!(stage.told(stage.ana).await, told);
    stage.assert_sound().await;
}

#[tokio::test]
async fn somebody_who_likes_and_reacts_is_one_person() {
    let stage = Stage::set().await;

    stage.heart(stage.ben).await;
    stage.react(stage.ben, Emoji::Hug).await;

    let batch = stage.only(stage.ana).await;
    assert_eq!(message(&batch), "ben liked your post and reacted with 🤗");
    assert_eq!(batch.notification.batch, Some(BatchCounts { child_count: 2, actor_count: 1 }));
    assert_eq!(batch.actors.len(), 1);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_changed_emoji_is_shown_and_is_no_news() {
    let stage = Stage::set().await;
    stage.react(stage.ben, Emoji::Hug).await;
    stage.read_everything(stage.ana).await;
    stage.clock.advance(TimeDelta::minutes(1));

    stage.react(stage.ben, Emoji::Fire).await;

    let single = stage.only(stage.ana).await;
    assert_eq!(message(&single), "ben reacted to your post with 🔥");
    assert_eq!(single.notification.data["emoji_code"], "fire");
    assert_eq!(single.notification.last_updated_at, NOON);
    assert!(is_read(&single));
}

#[tokio::test]
async fn a_changed_emoji_is_shown_in_its_batch_too_and_is_no_news_there() {
    let stage = Stage::set().await;
    stage.react(stage.ben, Emoji::Hug).await;
    stage.clock.advance(TimeDelta::seconds(1));
    stage.heart(stage.ben).await;
    stage.read_everything(stage.ana).await;
    let before = stage.only(stage.ana).await.notification;
    stage.clock.advance(TimeDelta::minutes(1));

    stage.react(stage.ben, Emoji::Fire).await;

    let batch = stage.only(stage.ana).await;
    assert_eq!(message(&batch), "ben liked your post and reacted with 🔥");
    assert_eq!(batch.notification.last_updated_at, before.last_updated_at);
    assert!(is_read(&batch));
    let entries = ["ben liked your post", "ben reacted to your post with 🔥"];
    assert_eq!(stage.entries(stage.ana, before.id).await, entries);
    stage.assert_sound().await;
}

#[tokio::test]
async fn the_same_emoji_again_changes_nothing_at_all() {
    let stage = Stage::set().await;
    stage.react(stage.ben, Emoji::Hug).await;
    let before = stage.list(stage.ana).await;
    stage.clock.advance(TimeDelta::minutes(1));

    stage.react(stage.ben, Emoji::Hug).await;

    assert_eq!(stage.list(stage.ana).await, before);
}

#[tokio::test]
async fn a_hundred_changes_of_mind_that_end_with_a_heart_are_told_once() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.read_everything(stage.ana).await;
    let before = stage.list(stage.ana).await;

    for _ in 0..100 {
        stage.clock.advance(TimeDelta::seconds(10));
        stage.unheart(stage.ben).await;
        stage.heart(stage.ben).await;
    }

    assert_eq!(stage.list(stage.ana).await, before);
    assert_eq!(stage.counts(stage.ana).await, (0, 1));
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_hundred_changes_of_mind_among_others_leave_the_batch_as_it_was() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.clock.advance(TimeDelta::seconds(10));
    stage.heart(stage.caro).await;
    stage.read_everything(stage.ana).await;
    let before = stage.list(stage.ana).await;

    for _ in 0..50 {
        stage.clock.advance(TimeDelta::seconds(10));
        stage.unheart(stage.caro).await;
        stage.heart(stage.caro).await;
        stage.unheart(stage.ben).await;
        stage.heart(stage.ben).await;
    }

    assert_eq!(stage.list(stage.ana).await, before);
    stage.assert_sound().await;
}

#[tokio::test]
async fn changes_of_mind_that_end_without_a_heart_leave_nothing() {
    let stage = Stage::set().await;

    for _ in 0..10 {
        stage.heart(stage.ben).await;
        stage.unheart(stage.ben).await;
    }

    assert_eq!(stage.counts(stage.ana).await, (0, 0));
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_act_that_is_done_again_after_more_than_a_day_is_news() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.read_everything(stage.ana).await;
    stage.unheart(stage.ben).await;
    stage.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));

    stage.heart(stage.ben).await;

    let single = stage.only(stage.ana).await;
    assert!(!is_read(&single));
    assert_eq!(single.notification.created_at, NOON + TimeDelta::seconds(24 * 3600 + 1));
}

#[tokio::test]
async fn whoever_is_called_something_else_by_now_is_called_so() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.send(stage.ben, &[stage.caro]).await;

    stage
        .database
        .execute(&format!(
            "UPDATE users SET username = 'benedict', display_name = 'Ben 🌿' WHERE id = {}",
            stage.ben
        ))
        .await;

    let told = stage.only(stage.ana).await;
    assert_eq!(message(&told), "Ben 🌿 liked your post");
    assert_eq!(told.notification.data["actor_username"], "benedict");
    assert_eq!(told.notification.data["liker_username"], "benedict");
    assert_eq!(told.actor.unwrap().name(), "Ben 🌿");
    assert_eq!(stage.told(stage.caro).await, ["Ben 🌿 sent you a post"]);
}
