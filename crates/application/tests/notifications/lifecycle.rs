//! Batching over time, restored notifications and changed names (docs/rules.md#batching).

use chrono::TimeDelta;
use grateful_domain::notification::BatchCounts;
use grateful_domain::{Emoji, UserId};
use grateful_testkit::NOON;

use crate::support::{Scenario, create_user_named, is_read, message_of};

#[tokio::test]
async fn a_second_act_within_an_hour_converts_both_to_a_batch() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let single = scenario.only_notification(scenario.ana).await.notification.id;
    scenario.clock.advance(TimeDelta::minutes(59));

    scenario.set_reaction(scenario.caro, Emoji::Hug).await;

    let batch = scenario.only_notification(scenario.ana).await;
    let notification = &batch.notification;
    assert_ne!(notification.id, single);
    assert_eq!(notification.kind.code(), "post_interaction");
    assert_eq!(batch.text.title, "New Engagement 💜");
    assert_eq!(batch.text.message, "2 people engaged with your post");
    assert_eq!(notification.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!(notification.last_updated_at, NOON + TimeDelta::minutes(59));
    assert_eq!(batch.notification.details.emoji, Some(Emoji::Hug));
    assert_eq!(batch.actor.unwrap().id, scenario.caro);
    let actors: Vec<UserId> = batch.actors.iter().map(|actor| actor.id).collect();
    assert_eq!(actors, [scenario.caro, scenario.ben]);
    let children = ["caro reacted to your post with 🤗", "ben liked your post"];
    assert_eq!(scenario.child_messages(scenario.ana, notification.id).await, children);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_second_act_after_more_than_an_hour_gets_its_own_notification() {
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
async fn acts_join_a_batch_for_24_hours_and_then_start_a_new_notification() {
    let scenario = Scenario::create().await;
    let mut late_users = Vec::new();
    for name in ["dora", "emil", "fay"] {
        late_users.push(create_user_named(&scenario.database, name).await);
    }
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;

    scenario.clock.advance(TimeDelta::hours(24));
    scenario.add_heart(late_users[0]).await;
    assert_eq!(scenario.messages(scenario.ana).await, ["3 people engaged with your post"]);
    scenario.clock.advance(TimeDelta::seconds(1));
    scenario.add_heart(late_users[1]).await;
    scenario.add_heart(late_users[2]).await;

    let expected = ["2 people engaged with your post", "3 people engaged with your post"];
    assert_eq!(scenario.messages(scenario.ana).await, expected);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_user_who_hearts_and_reacts_counts_as_one_actor() {
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
async fn a_changed_reaction_updates_the_notification_without_marking_it_unread() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::minutes(1));

    scenario.set_reaction(scenario.ben, Emoji::Fire).await;

    let single = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&single), "ben reacted to your post with 🔥");
    assert_eq!(single.notification.details.emoji, Some(Emoji::Fire));
    assert_eq!(single.notification.last_updated_at, NOON);
    assert!(is_read(&single));
}

#[tokio::test]
async fn a_changed_reaction_updates_its_batch_without_marking_it_unread() {
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
    let children = ["ben liked your post", "ben reacted to your post with 🔥"];
    assert_eq!(scenario.child_messages(scenario.ana, before.id).await, children);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn setting_the_same_reaction_again_changes_nothing() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    let before = scenario.list(scenario.ana).await;
    scenario.clock.advance(TimeDelta::minutes(1));

    scenario.set_reaction(scenario.ben, Emoji::Hug).await;

    assert_eq!(scenario.list(scenario.ana).await, before);
}

#[tokio::test]
async fn removing_and_adding_a_heart_100_times_leaves_one_read_notification() {
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
async fn removing_and_adding_hearts_leaves_their_batch_unchanged() {
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
async fn adding_and_removing_a_heart_10_times_leaves_no_notification() {
    let scenario = Scenario::create().await;

    for _ in 0..10 {
        scenario.add_heart(scenario.ben).await;
        scenario.remove_heart(scenario.ben).await;
    }

    assert_eq!(scenario.counts(scenario.ana).await, (0, 0));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_act_repeated_after_more_than_a_day_notifies_again() {
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
async fn a_renamed_actor_appears_with_the_current_name() {
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

    let rendered = scenario.only_notification(scenario.ana).await;
    assert_eq!(message_of(&rendered), "Ben 🌿 liked your post");
    let actor = rendered.actor.unwrap();
    assert_eq!((actor.name(), actor.username.as_str()), ("Ben 🌿", "benedict"));
    assert_eq!(scenario.messages(scenario.caro).await, ["Ben 🌿 sent you a post"]);
}
