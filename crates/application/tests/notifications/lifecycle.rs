//! Batching over time, restored notifications and changed names (docs/rules.md#batching).

use chrono::TimeDelta;
use grateful_domain::notification::BatchCounts;
use grateful_domain::{Emoji, UserId};
use grateful_testkit::{NOON, Scenario};

use crate::support::{is_read, message_of};

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
