//! Recording events: who is notified, what is stored and what is skipped or held back.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{NotificationType, ShareId, UserId};
use grateful_storage::{
    HeldBackEvent, QueryLog, RecordResult, RemovedMentions, Repositories, Result, StorageError,
};
use grateful_testkit::{a_post, a_user, block, create_user};
use uuid::Uuid;

use super::scenario::Scenario;

#[tokio::test]
async fn a_recorded_event_is_stored_as_the_domain_defines_it() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let event = scenario.event(scenario.cause_for_ana(ben, scenario.heart()));

    let recorded =
        scenario.conn.notifications().record(std::slice::from_ref(&event)).await.unwrap();

    assert_eq!(recorded, RecordResult::default());
    let rendered = scenario.only_notification().await;
    let notification = &rendered.notification;
    assert_eq!(
        (notification.id, notification.created_at, notification.last_updated_at),
        (event.id, event.at, event.at)
    );
    assert_eq!(
        (notification.recipient, notification.actor, notification.kind),
        (scenario.ana, Some(ben), NotificationType::Like)
    );
    assert_eq!(
        (notification.post, notification.act.clone()),
        (Some(scenario.post.id), Some(scenario.heart().dedup_key()))
    );
    assert_eq!(notification.key, event.cause.key());
    assert_eq!(
        (notification.read_at, notification.closed_at, notification.parent, notification.batch),
        (None, None, None, None)
    );
    let from = rendered.actor.unwrap();
    assert_eq!(rendered.text.message, format!("{} liked your post", from.name()));
    // Nothing is stored that can be looked up.
    let stored = "notifications WHERE title IS NULL AND message IS NULL AND data IS NULL";
    assert_eq!(scenario.database.count(stored).await, 1);
}

#[tokio::test]
async fn recording_an_event_again_changes_nothing() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    let before = scenario.only_notification().await;

    scenario.notify_ana(&[ben, caro, ben], scenario.heart()).await;

    assert_eq!(scenario.only_notification().await, before);
    assert_eq!(scenario.count_notifications().await, 3);
}

#[tokio::test]
async fn the_same_event_twice_in_one_call_is_recorded_once() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let cause = scenario.cause_for_ana(ben, scenario.heart());

    scenario.record(&[cause, cause]).await;

    assert_eq!(scenario.only_notification().await.notification.batch, None);
    assert_eq!(scenario.count_notifications().await, 1);
}

#[tokio::test]
async fn a_message_to_two_users_notifies_both() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan] = scenario.create_users().await;
    let act =
        Act::MessageShare { post: scenario.post.id, share: ShareId::from(Uuid::from_u128(1)) };

    scenario.record(&[caro, dan].map(|recipient| Cause { recipient, actor: ben, act })).await;

    for recipient in [caro, dan] {
        assert_eq!(scenario.messages_for(recipient).await, ["* N sent you a post"]);
    }
    assert_eq!(scenario.messages_for(scenario.ana).await, [""; 0]);
}

/// Each event takes effect on the result of the previous one.
#[tokio::test]
async fn several_events_for_one_recipient_are_recorded_in_order() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan] = scenario.create_users().await;
    let comment = scenario.create_comment_by(dan).await.id;
    let comment_act = Act::Comment { post: scenario.post.id, comment };
    let mention = Act::Mention { post: scenario.post.id, comment: Some(comment) };

    scenario
        .record(&[
            scenario.cause_for_ana(ben, scenario.heart()),
            scenario.cause_for_ana(dan, comment_act),
            Cause { recipient: ben, actor: dan, act: mention },
            scenario.cause_for_ana(caro, scenario.reaction()),
            scenario.cause_for_ana(caro, scenario.heart()),
        ])
        .await;

    let list = scenario.list_for(scenario.ana).await;
    let batches: Vec<_> = list.iter().map(|rendered| rendered.notification.batch).collect();
    assert_eq!(batches.len(), 2);
    assert!(batches.contains(&Some(BatchCounts { child_count: 3, actor_count: 2 })), "{batches:?}");
    assert!(batches.contains(&None));
    assert_eq!(scenario.messages_for(ben).await, ["* N mentioned you in a post: How lovely"]);
}

#[tokio::test]
async fn users_are_not_notified_of_their_own_acts() {
    let mut scenario = Scenario::create().await;

    scenario.record(&[scenario.cause_for_ana(scenario.ana, scenario.heart())]).await;

    assert_eq!(scenario.count_notifications().await, 0);
}

#[tokio::test]
async fn no_event_is_recorded_across_a_block() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan] = scenario.create_users().await;
    block(&scenario.database, scenario.ana, ben).await;
    block(&scenario.database, caro, scenario.ana).await;

    let recorded = scenario
        .record(&[ben, caro, dan].map(|actor| scenario.cause_for_ana(actor, scenario.heart())))
        .await;

    assert_eq!(scenario.only_notification().await.notification.actor, Some(dan));
    assert_eq!(recorded, RecordResult::default());
}

/// Covers mentions and replies on a post that a block or its visibility hides from the recipient.
#[tokio::test]
async fn mentions_and_replies_are_skipped_for_users_who_cannot_see_the_post() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan, eve] = scenario.create_users().await;
    block(&scenario.database, scenario.ana, ben).await;
    block(&scenario.database, caro, scenario.ana).await;
    let post = scenario.post.id;
    let comment = scenario.create_comment_by(eve).await.id;
    let mention = Act::Mention { post, comment: Some(comment) };
    let reply = Act::Reply { post, comment, parent: comment };
    let causes_for_all =
        |act| [ben, caro, dan, scenario.ana].map(|to| Cause { recipient: to, actor: eve, act });
    let causes = [causes_for_all(mention), causes_for_all(reply)].concat();

    scenario.record(&causes).await;

    assert_eq!(scenario.count_notifications().await, 4);
    for recipient in [ben, caro] {
        assert_eq!(scenario.messages_for(recipient).await, [""; 0]);
    }
    scenario
        .database
        .execute("DELETE FROM notifications; UPDATE posts SET is_public = false")
        .await;
    scenario.record(&causes).await;
    assert_eq!(scenario.count_notifications().await, 2);
    assert_eq!(scenario.messages_for(scenario.ana).await.len(), 2);
}

#[tokio::test]
async fn an_edit_notifies_and_withdraws_for_any_number_of_users_in_five_statements() {
    for count in [1, 50] {
        let mut scenario = Scenario::create().await;
        let (post, ana) = (scenario.post.id, scenario.ana);
        let mention = Act::Mention { post, comment: None };
        let in_comment =
            Act::Mention { post, comment: Some(scenario.create_comment_by(ana).await.id) };
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for _ in 0..count {
            old.push(a_user().insert_into(&scenario.database).await);
            new.push(create_user(&scenario.database).await);
        }
        let by_ana = |to, act| Cause { recipient: to, actor: ana, act };
        let first: Vec<Cause> = old.iter().map(|user| by_ana(user.id, mention)).collect();
        scenario.record(&first).await;
        let kept: Vec<Cause> = old.iter().map(|user| by_ana(user.id, in_comment)).collect();
        scenario.record(&kept).await;
        let events: Vec<_> = new.iter().map(|to| scenario.event(by_ana(*to, mention))).collect();
        let names: Vec<String> = old
            .iter()
            .map(|user| user.username.as_str().to_uppercase())
            .chain(["x".into()])
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let removed = RemovedMentions { actor: ana, mention, usernames: &names, kept: &[] };

        let mut conn = scenario.database.pool.acquire().await.unwrap();
        let mut inboxes = conn.notifications();
        let edit = inboxes.update_mentions(&events, removed, scenario.now);
        let (recorded, queries) = QueryLog::record(edit).await;

        assert_eq!(recorded.unwrap(), RecordResult::default());
        assert_eq!(queries.total(), 5, "{queries:#?}");
        for (old, new) in old.iter().zip(new) {
            let kept = ["* N mentioned you in a post: How lovely"];
            assert_eq!(scenario.messages_for(old.id).await, kept);
            assert_eq!(
                scenario.messages_for(new).await,
                ["* N mentioned you in a post: For the bus driver"]
            );
        }
    }
}

#[tokio::test]
async fn a_mention_that_is_both_added_and_removed_stays() {
    let mut scenario = Scenario::create().await;
    let ben = a_user().with_username("ben").insert_into(&scenario.database).await.id;
    let mention = Act::Mention { post: scenario.post.id, comment: None };
    let cause = Cause { recipient: ben, actor: scenario.ana, act: mention };
    scenario.record(&[cause]).await;
    let before = scenario.list_for(ben).await;
    let removed = RemovedMentions { actor: scenario.ana, mention, usernames: &["ben"], kept: &[] };

    let event = scenario.event(cause);
    scenario.conn.notifications().update_mentions(&[event], removed, scenario.now).await.unwrap();
    assert_eq!(scenario.list_for(ben).await, before);

    scenario.conn.notifications().update_mentions(&[], removed, scenario.now).await.unwrap();
    assert_eq!(scenario.messages_for(ben).await, [""; 0]);
}

#[tokio::test]
async fn muted_types_are_skipped() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let preferences = r#"{"notifications": {"like": false, "emoji_reaction": true}, "theme": 1}"#;
    scenario
        .database
        .execute(&format!(
            "UPDATE users SET profile_preferences = '{preferences}' WHERE id = {}",
            scenario.ana
        ))
        .await;

    scenario
        .record(
            &[scenario.heart(), scenario.reaction(), Act::Follow]
                .map(|act| scenario.cause_for_ana(ben, act)),
        )
        .await;

    let mut messages = scenario.messages_for(scenario.ana).await;
    messages.sort();
    assert_eq!(messages, ["* N reacted to your post with 🤗", "* N started following you"]);
}

/// Clients may store any other JSON in the preferences.
#[tokio::test]
async fn preferences_of_unexpected_types_mute_nothing() {
    let mut scenario = Scenario::create().await;
    let unexpected = [r#"{"notifications": []}"#, r#"{"notifications": {"like": null}}"#, "{}"];
    for preferences in unexpected {
        let [ben] = scenario.create_users().await;
        let set = format!("UPDATE users SET profile_preferences = '{preferences}'");
        scenario.database.execute(&set).await;

        scenario.record(&[scenario.cause_for_ana(ben, scenario.heart())]).await;
    }

    assert_eq!(scenario.only_notification().await.notification.batch_counts().child_count, 3);
}

#[tokio::test]
async fn events_of_a_rolled_back_transaction_are_not_recorded() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let event = scenario.event(scenario.cause_for_ana(ben, scenario.heart()));

    let result: Result<()> = scenario
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Err(StorageError::Corrupt { column: "table.column" })
        })
        .await;

    assert!(result.is_err());
    assert_eq!(scenario.count_notifications().await, 0);
    assert_eq!(scenario.database.count("notification_quotas").await, 0);
    assert_eq!(
        scenario.conn.notifications().find_inbox_position(scenario.ana).await.unwrap().last_seq,
        0
    );
}

#[tokio::test]
async fn events_with_deleted_users_are_skipped() {
    let mut scenario = Scenario::create().await;
    let [ben, deleted] = scenario.create_users().await;
    scenario.database.execute(&format!("DELETE FROM users WHERE id = {deleted}")).await;

    scenario
        .record(&[
            scenario.cause_for_ana(deleted, Act::Follow),
            Cause { recipient: deleted, actor: ben, act: Act::Follow },
            scenario.cause_for_ana(ben, Act::Follow),
        ])
        .await;

    assert_eq!(scenario.count_notifications().await, 1);
    assert_eq!(scenario.only_notification().await.notification.actor, Some(ben));
}

#[tokio::test]
async fn the_twenty_first_start_of_a_type_within_an_hour_is_held_back() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let starters: [_; 4] = scenario.create_users().await;
    let twenty = hearts_on_posts(&mut scenario, 20).await;
    let causes = in_turn(&scenario, &starters, &twenty);
    assert_eq!(scenario.record(&causes).await, RecordResult::default());
    scenario.advance(TimeDelta::minutes(59));

    let to_caro = Cause { recipient: caro, actor: ben, act: Act::Follow };
    let recorded = scenario
        .record(&[
            scenario.cause_for_ana(ben, scenario.heart()),
            to_caro,
            scenario.cause_for_ana(ben, Act::Follow),
        ])
        .await;

    let held_back = HeldBackEvent { recipient: scenario.ana, kind: NotificationType::Like };
    assert_eq!(recorded, RecordResult { held_back: vec![held_back] });
    assert_eq!(scenario.list_for(scenario.ana).await.len(), 21);
    assert_eq!(scenario.messages_for(caro).await, ["* N started following you"]);

    scenario.advance(TimeDelta::minutes(1));
    assert_eq!(
        scenario.record(&[scenario.cause_for_ana(ben, scenario.heart())]).await,
        RecordResult::default()
    );
    let like = Some(NotificationType::Like);
    let stats =
        scenario.conn.notifications().stats(scenario.ana, like, scenario.now).await.unwrap();
    assert_eq!((stats.remaining, stats.held_back), (Some(19), 1));
}

/// Other actors and other types are not affected, and a new window opens for all.
#[tokio::test]
async fn the_sixth_start_by_one_actor_within_an_hour_is_held_back() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let hearts = hearts_on_posts(&mut scenario, 6).await;
    let causes = in_turn(&scenario, &[ben], &hearts);

    let recorded = scenario.record(&causes).await;

    let held_back = HeldBackEvent { recipient: scenario.ana, kind: NotificationType::Like };
    assert_eq!(recorded, RecordResult { held_back: vec![held_back] });
    let by_others = [
        scenario.cause_for_ana(caro, hearts[5]),
        scenario.cause_for_ana(ben, Act::LinkShare { post: scenario.post.id }),
    ];
    assert_eq!(scenario.record(&by_others).await, RecordResult::default());
    let like = Some(NotificationType::Like);
    let stats =
        scenario.conn.notifications().stats(scenario.ana, like, scenario.now).await.unwrap();
    assert_eq!((stats.remaining, stats.held_back), (Some(14), 1));
    scenario.advance(TimeDelta::hours(1));
    let again = scenario.cause_for_ana(ben, scenario.heart());
    assert_eq!(scenario.record(&[again]).await, RecordResult::default());
}

#[tokio::test]
async fn joining_converting_and_restoring_are_not_limited() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan] = scenario.create_users().await;
    let starters: [_; 4] = scenario.create_users().await;
    let twenty = hearts_on_posts(&mut scenario, 20).await;
    let starts = in_turn(&scenario, &starters, &twenty);
    assert_eq!(scenario.record(&starts).await, RecordResult::default());
    for actor in [ben, caro, dan] {
        let causes: Vec<Cause> =
            twenty.iter().map(|act| scenario.cause_for_ana(actor, *act)).collect();
        assert_eq!(scenario.record(&causes).await, RecordResult::default());
    }
    let of_ben: Vec<Cause> = twenty.iter().map(|act| scenario.cause_for_ana(ben, *act)).collect();
    scenario.withdraw(&of_ben).await;

    assert_eq!(scenario.record(&of_ben).await, RecordResult::default());

    let list = scenario.list_for(scenario.ana).await;
    assert_eq!(list.len(), 20);
    assert!(list.iter().all(|rendered| rendered.notification.batch_counts().actor_count == 4));
    let recorded = scenario.record(&[scenario.cause_for_ana(ben, scenario.heart())]).await;
    assert_eq!(recorded.held_back.len(), 1);
}

/// One statement each to lock, load and write, for one recipient as for ten.
#[tokio::test]
async fn recording_takes_three_statements_for_any_number_of_recipients() {
    let scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let recipients: [_; 10] = scenario.create_users().await;
    let act =
        Act::MessageShare { post: scenario.post.id, share: ShareId::from(Uuid::from_u128(1)) };
    for (number, recipients) in [(1, &recipients[..1]), (10, &recipients[..])] {
        let causes =
            recipients.iter().map(|recipient| Cause { recipient: *recipient, actor: ben, act });
        let events: Vec<_> = causes.map(|cause| scenario.event(cause)).collect();
        let mut conn = scenario.database.pool.acquire().await.unwrap();

        let (recorded, queries) = QueryLog::record(conn.notifications().record(&events)).await;

        recorded.unwrap();
        assert_eq!(queries.total(), 3, "{number} recipients");
    }
}

/// The causes of these acts by the actors in turn.
fn in_turn(scenario: &Scenario, actors: &[UserId], acts: &[Act]) -> Vec<Cause> {
    let pairs = actors.iter().cycle().zip(acts);
    pairs.map(|(actor, act)| scenario.cause_for_ana(*actor, *act)).collect()
}

/// Hearts on this many new posts by Ana.
async fn hearts_on_posts(scenario: &mut Scenario, number: usize) -> Vec<Act> {
    let mut acts = Vec::new();
    for _ in 0..number {
        let post = a_post().by(scenario.ana).insert_into(&scenario.database).await.id;
        acts.push(Act::Heart { post });
    }
    acts
}
