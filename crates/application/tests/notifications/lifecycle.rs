//! What happens to a notification as time goes by.

use chrono::TimeDelta;
use grateful_domain::notification::BatchCounts;
use grateful_domain::{Emoji, UserId};
use grateful_testkit::NOON;

use crate::support::{Scenario, create_user_named, is_read, message_of};

#[tokio::test]
async fn a_second_act_within_an_hour_makes_a_batch_of_the_two() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let single = scenario.only_notification(scenario.ana).await.notification.id;
    scenario.clock.advance(TimeDelta::minutes(59));

    scenario.set_reaction(scenario.caro, Emoji::Hug).await;

    let batch = scenario.only_notification(scenario.ana).await;
    let it = &batch.notification;
    assert_ne!(it.id, single);
    assert_eq!(it.kind.code(), "post_interaction");
    assert_eq!(it.text.title, "New Engagement 💜");
    assert_eq!(it.text.message, "2 people engaged with your post");
    assert_eq!(it.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!(it.last_updated_at, NOON + TimeDelta::minutes(59));
    assert_eq!(it.data["emoji_code"], "hug");
    assert_eq!(batch.actor.unwrap().id, scenario.caro);
    let people: Vec<UserId> = batch.actors.iter().map(|person| person.id).collect();
    assert_eq!(people, [scenario.caro, scenario.ben]);
    let entries = ["caro reacted to your post with 🤗", "ben liked your post"];
    assert_eq!(scenario.child_messages(scenario.ana, it.id).await, entries);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_second_act_after_more_than_an_hour_is_told_by_itself() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::hours(1) + TimeDelta::seconds(1));

    scenario.add_heart(scenario.caro).await;

    assert_eq!(
        scenario.messages(scenario.ana).await,
        ["caro liked your post", "ben liked your post"]
    );
    assert_eq!(scenario.counts(scenario.ana).await, (2, 2));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_batch_is_joined_for_a_day_and_then_followed_by_something_new() {
    let scenario = Scenario::create().await;
    let mut late = Vec::new();
    for name in ["dora", "emil", "fay"] {
        late.push(create_user_named(&scenario.database, name).await);
    }
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;

    scenario.clock.advance(TimeDelta::hours(24));
    scenario.add_heart(late[0]).await;
    assert_eq!(scenario.messages(scenario.ana).await, ["3 people engaged with your post"]);
    scenario.clock.advance(TimeDelta::seconds(1));
    scenario.add_heart(late[1]).await;
    scenario.add_heart(late[2]).await;

    let told = ["2 people engaged with your post", "3 people engaged with your post"];
    assert_eq!(scenario.messages(scenario.ana).await, told);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn somebody_who_likes_and_reacts_is_one_person() {
    let scenario = Scenario::create().await;

    scenario.add_heart(scenario.ben).await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;

    let batch = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&batch), "ben liked your post and reacted with 🤗");
    assert_eq!(batch.notification.batch, Some(BatchCounts { child_count: 2, actor_count: 1 }));
    assert_eq!(batch.actors.len(), 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_changed_emoji_is_shown_and_is_no_news() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::minutes(1));

    scenario.set_reaction(scenario.ben, Emoji::Fire).await;

    let single = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&single), "ben reacted to your post with 🔥");
    assert_eq!(single.notification.data["emoji_code"], "fire");
    assert_eq!(single.notification.last_updated_at, NOON);
    assert!(is_read(&single));
}

#[tokio::test]
async fn a_changed_emoji_is_shown_in_its_batch_too_and_is_no_news_there() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    scenario.clock.advance(TimeDelta::seconds(1));
    scenario.add_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    let before = scenario.only_notification(scenario.ana).await.notification;
    scenario.clock.advance(TimeDelta::minutes(1));

    scenario.set_reaction(scenario.ben, Emoji::Fire).await;

    let batch = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&batch), "ben liked your post and reacted with 🔥");
    assert_eq!(batch.notification.last_updated_at, before.last_updated_at);
    assert!(is_read(&batch));
    let entries = ["ben liked your post", "ben reacted to your post with 🔥"];
    assert_eq!(scenario.child_messages(scenario.ana, before.id).await, entries);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn the_same_emoji_again_changes_nothing_at_all() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    let before = scenario.list(scenario.ana).await;
    scenario.clock.advance(TimeDelta::minutes(1));

    scenario.set_reaction(scenario.ben, Emoji::Hug).await;

    assert_eq!(scenario.list(scenario.ana).await, before);
}

#[tokio::test]
async fn a_hundred_changes_of_mind_that_end_with_a_heart_are_told_once() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    let before = scenario.list(scenario.ana).await;

    for _ in 0..100 {
        scenario.clock.advance(TimeDelta::seconds(10));
        scenario.remove_heart(scenario.ben).await;
        scenario.add_heart(scenario.ben).await;
    }

    assert_eq!(scenario.list(scenario.ana).await, before);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_hundred_changes_of_mind_among_others_leave_the_batch_as_it_was() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::seconds(10));
    scenario.add_heart(scenario.caro).await;
    scenario.mark_all_read(scenario.ana).await;
    let before = scenario.list(scenario.ana).await;

    for _ in 0..50 {
        scenario.clock.advance(TimeDelta::seconds(10));
        scenario.remove_heart(scenario.caro).await;
        scenario.add_heart(scenario.caro).await;
        scenario.remove_heart(scenario.ben).await;
        scenario.add_heart(scenario.ben).await;
    }

    assert_eq!(scenario.list(scenario.ana).await, before);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn changes_of_mind_that_end_without_a_heart_leave_nothing() {
    let scenario = Scenario::create().await;

    for _ in 0..10 {
        scenario.add_heart(scenario.ben).await;
        scenario.remove_heart(scenario.ben).await;
    }

    assert_eq!(scenario.counts(scenario.ana).await, (0, 0));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_act_that_is_done_again_after_more_than_a_day_is_news() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.remove_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));

    scenario.add_heart(scenario.ben).await;

    let single = scenario.only_notification(scenario.ana).await;
    assert!(!is_read(&single));
    assert_eq!(single.notification.created_at, NOON + TimeDelta::seconds(24 * 3600 + 1));
}

#[tokio::test]
async fn whoever_is_called_something_else_by_now_is_called_so() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.send_message(scenario.ben, &[scenario.caro]).await;

    scenario
        .database
        .execute(&format!(
            "UPDATE users SET username = 'benedict', display_name = 'Ben 🌿' WHERE id = {}",
            scenario.ben
        ))
        .await;

    let told = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&told), "Ben 🌿 liked your post");
    assert_eq!(told.notification.data["actor_username"], "benedict");
    assert_eq!(told.notification.data["liker_username"], "benedict");
    assert_eq!(told.actor.unwrap().name(), "Ben 🌿");
    assert_eq!(scenario.messages(scenario.caro).await, ["Ben 🌿 sent you a post"]);
}
