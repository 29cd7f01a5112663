//! Recording events: what only SQL decides. `inbox_model` compares the rest with the inbox of the domain.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{NotificationType, ShareId, UserId};
use grateful_storage::{HeldBackEvent, QueryLog, RecordResult, RemovedMentions, Repositories};
use grateful_test_database::{a_post, a_user, block, create_user};
use uuid::Uuid;

use super::scenario::Scenario;

#[tokio::test]
async fn nothing_is_stored_that_can_be_looked_up() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;

    scenario.notify_ana(&[ben], scenario.heart()).await;

    let stored = "notifications WHERE title IS NULL AND message IS NULL AND data IS NULL";
    assert_eq!(scenario.database.count(stored).await, 1);
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
async fn an_edit_notifies_and_withdraws_for_any_number_of_users_in_four_statements() {
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
        assert_eq!(queries.total(), 4, "{queries:#?}");
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
