//! Verification and repair of stored notifications.

use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{NotificationId, ShareId, UserId};
use grateful_storage::{CounterTable, Counters, Mismatch, Repositories, Result};
use grateful_test_database::{
    NOON, a_comment, a_heart, a_link_share, a_message_share, a_reaction, create_user,
};

use super::scenario::Scenario;

const TABLE: CounterTable = CounterTable::Notifications;

#[tokio::test]
async fn recorded_acts_cause_no_mismatch() {
    let mut scenario = Scenario::create().await;
    perform_every_act(&mut scenario).await;

    assert_eq!(mismatches(&mut scenario).await, []);
    assert_eq!(scenario.count_notifications().await, 12);
}

#[tokio::test]
async fn wrong_counts_of_a_batch_are_found_and_repaired() {
    let mut scenario = Scenario::create().await;
    let batch = create_three_hearts(&mut scenario).await;
    for column in ["batch_count", "actor_count"] {
        set_column(&scenario, column, "7", batch).await;

        let found = mismatches(&mut scenario).await;

        let (key, column) = (format!("{}/{batch}", scenario.ana), column.to_owned());
        assert_eq!(found, [Mismatch { table: TABLE, key, column, stored: 7, actual: 3 }]);
        repair(&mut scenario, &found[0]).await;
        assert_eq!(mismatches(&mut scenario).await, []);
        let repaired = scenario.only_notification().await.notification;
        assert_eq!(repaired.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    }
}

#[tokio::test]
async fn wrong_counts_of_an_inbox_are_found_and_repaired() {
    let mut scenario = Scenario::create().await;
    create_three_hearts(&mut scenario).await;
    let (ana, table) = (scenario.ana, CounterTable::Inboxes);
    for (column, stored) in [("unread_count", 0), ("total_count", 4)] {
        let sql = format!("UPDATE inboxes SET {column} = {stored} WHERE user_id = {ana}");
        scenario.database.execute(&sql).await;

        let found = mismatches_in(&mut scenario, table).await;

        let (key, column) = (ana.to_string(), column.to_owned());
        assert_eq!(found, [Mismatch { table, key, column, stored, actual: 1 }]);
        repair(&mut scenario, &found[0]).await;
        assert_eq!(mismatches_in(&mut scenario, table).await, []);
    }
}

#[tokio::test]
async fn a_list_without_an_inbox_is_found_and_repaired() {
    let mut scenario = Scenario::create().await;
    create_three_hearts(&mut scenario).await;
    scenario.database.execute("DELETE FROM inboxes").await;

    let found = mismatches_in(&mut scenario, CounterTable::Inboxes).await;

    let values: Vec<_> =
        found.iter().map(|it| (it.column.as_str(), it.stored, it.actual)).collect();
    assert_eq!(values, [("unread_count", 0, 1), ("total_count", 0, 1)]);
    repair(&mut scenario, &found[0]).await;
    assert_eq!(mismatches_in(&mut scenario, CounterTable::Inboxes).await, []);
}

#[tokio::test]
async fn wrong_counts_of_a_single_notification_are_found_and_repaired() {
    let mut scenario = Scenario::create().await;
    let single = create_hearts(&mut scenario, 1).await;
    for column in ["batch_count", "actor_count"] {
        set_column(&scenario, column, "0", single).await;

        let found = mismatches(&mut scenario).await;

        let (key, column) = (format!("{}/{single}", scenario.ana), column.to_owned());
        assert_eq!(found, [Mismatch { table: TABLE, key, column, stored: 0, actual: 1 }]);
        repair(&mut scenario, &found[0]).await;
        assert_eq!(mismatches(&mut scenario).await, []);
    }
}

#[tokio::test]
async fn unread_children_of_a_read_batch_are_found_and_repaired() {
    let mut scenario = Scenario::create().await;
    let batch = create_three_hearts(&mut scenario).await;
    set_column(&scenario, "read_at", "'2026-01-06', read = true", batch).await;

    let found = mismatches(&mut scenario).await;

    let [mismatch] = &found[..] else { panic!("{found:?}") };
    assert_eq!(mismatch.column, "unread entries below what was read");
    assert_eq!((mismatch.stored, mismatch.actual), (3, 0));
    repair(&mut scenario, mismatch).await;
    assert_eq!(mismatches(&mut scenario).await, []);
    let read = scenario.only_notification().await.notification.read_at;
    let children = scenario.children_of(batch).await;
    assert!(children.iter().all(|child| child.notification.read_at == read));
}

#[tokio::test]
async fn a_child_without_its_act_is_found_and_deleted() {
    let mut scenario = Scenario::create().await;
    let batch = create_three_hearts(&mut scenario).await;
    let newest = scenario.only_notification().await.notification.actor.unwrap();
    scenario.database.execute(&format!("DELETE FROM likes WHERE user_id = {newest}")).await;

    let found = mismatches(&mut scenario).await;

    let [mismatch] = &found[..] else { panic!("{found:?}") };
    assert_eq!(mismatch.column, "entries, which acts have caused");
    assert_eq!((mismatch.stored, mismatch.actual), (3, 2));
    repair(&mut scenario, mismatch).await;
    assert_eq!(mismatches(&mut scenario).await, []);
    let repaired = scenario.only_notification().await;
    assert_eq!(repaired.notification.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    let shown = &scenario.children_of(batch).await[0];
    assert_eq!(repaired.notification.actor, shown.notification.actor);
    assert_eq!(repaired.notification.details, shown.notification.details);
}

#[tokio::test]
async fn a_batch_is_no_longer_unread_for_a_child_that_a_repair_deleted() {
    let mut scenario = Scenario::create().await;
    let batch = create_three_hearts(&mut scenario).await;
    let newest = scenario.only_notification().await.notification.actor.unwrap();
    let read = "UPDATE notifications SET read = true, read_at = '2026-01-06' WHERE NOT is_batch";
    scenario.database.execute(&format!("{read} AND actor_id <> {newest}")).await;
    scenario.database.execute(&format!("DELETE FROM likes WHERE user_id = {newest}")).await;

    let found = mismatches(&mut scenario).await;
    repair(&mut scenario, &found[0]).await;

    let repaired = scenario.only_notification().await.notification;
    assert_eq!((repaired.id, repaired.read_at.is_some()), (batch, true));
    assert_eq!(mismatches(&mut scenario).await, []);
}

#[tokio::test]
async fn a_batch_without_remaining_children_is_deleted() {
    let mut scenario = Scenario::create().await;
    create_three_hearts(&mut scenario).await;
    scenario.database.execute("DELETE FROM likes").await;

    let found = mismatches(&mut scenario).await;
    repair(&mut scenario, &found[0]).await;

    assert_eq!(scenario.count_notifications().await, 0);
}

/// A notification of any type needs its own act; no other act suffices.
#[tokio::test]
async fn notifications_without_their_act_are_found() {
    for (undo, expected) in [
        ("DELETE FROM likes", 1),
        ("DELETE FROM emoji_reactions", 1),
        ("DELETE FROM shares WHERE share_method = 'url'", 1),
        ("DELETE FROM shares WHERE share_method = 'message'", 1),
        ("DELETE FROM follows WHERE status = 'active'", 2),
        ("DELETE FROM follows WHERE status = 'pending'", 1),
        ("UPDATE comments SET author_id = (SELECT min(id) FROM users)", 3),
        ("UPDATE posts SET author_id = (SELECT max(id) FROM users)", 1),
        // Mentions of users who cannot see the post.
        ("UPDATE posts SET is_public = false", 2),
    ] {
        let mut scenario = Scenario::create().await;
        perform_every_act(&mut scenario).await;
        scenario.database.execute(undo).await;

        let found = mismatches(&mut scenario).await;

        let missing: i64 = found.iter().map(|mismatch| mismatch.stored - mismatch.actual).sum();
        assert_eq!(missing, expected, "{undo}: {found:?}");
        for mismatch in &found {
            repair(&mut scenario, mismatch).await;
        }
        assert_eq!(mismatches(&mut scenario).await, [], "{undo}");
    }
}

/// Possible only without the index that prevents it.
#[tokio::test]
async fn two_open_notifications_with_one_key_are_found() {
    let mut scenario = Scenario::create().await;
    create_hearts(&mut scenario, 1).await;
    scenario.advance(chrono::TimeDelta::hours(2));
    let ben = create_user(&scenario.database).await;
    add_heart(&mut scenario, ben).await;
    scenario
        .database
        .execute("DROP INDEX notifications_one_open; UPDATE notifications SET closed_at = NULL")
        .await;

    let found = mismatches(&mut scenario).await;

    assert_eq!(found.len(), 2);
    for mismatch in found {
        assert_eq!((&*mismatch.column, mismatch.actual), ("open under its key", 2));
    }
}

#[tokio::test]
async fn notifications_are_verified_in_batches_without_gaps() {
    let mut scenario = Scenario::create().await;
    let actors: [UserId; 7] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    let (mut batch_sizes, mut keys, mut after) = (Vec::new(), Vec::new(), None);

    while let Some(batch) = Counters::new(&mut scenario.conn).verify(TABLE, after, 3).await.unwrap()
    {
        batch_sizes.push(batch.rows);
        keys.extend(batch.mismatches.into_iter().map(|mismatch| mismatch.key));
        after = Some(batch.last_key);
    }

    assert_eq!(batch_sizes, [3, 3, 1]);
    assert_eq!(keys.len(), 7, "none has its follow request");
}

#[tokio::test]
async fn repairing_a_deleted_notification_succeeds() {
    let mut scenario = Scenario::create().await;
    let batch = create_three_hearts(&mut scenario).await;
    set_column(&scenario, "batch_count", "7", batch).await;
    let found = mismatches(&mut scenario).await;
    scenario.database.execute("DELETE FROM notifications").await;

    repair(&mut scenario, &found[0]).await;
}

/// Performs and records one act of each type. The result is a batch with two children, and nine single notifications.
async fn perform_every_act(scenario: &mut Scenario) {
    let [ben, caro, dan] = scenario.create_users().await;
    let (ana, post) = (scenario.ana, scenario.post.id);
    let comment = scenario.create_comment_by(ben).await;
    let reply = a_comment().by(caro).replying_to(&comment).insert_into(&scenario.database).await;
    let mention = a_comment().by(dan).on(&scenario.post).insert_into(&scenario.database).await.id;
    let message = a_message_share(ben, post, &[caro]);
    let mut conn = scenario.database.connect().await;
    conn.hearts().add(&[a_heart(ben, post)]).await.unwrap();
    conn.emoji_reactions().set(&[a_reaction(caro, post)]).await.unwrap();
    for share in [a_link_share(ben, post), message.clone()] {
        conn.shares().create(&share).await.unwrap();
    }
    scenario
        .database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status) VALUES
                 (gen_random_uuid(), {ben}, {ana}, 'active'),
                 (gen_random_uuid(), {caro}, {ana}, 'pending'),
                 (gen_random_uuid(), {ana}, {dan}, 'active')"
        ))
        .await;
    let share: ShareId = message.id;
    scenario
        .record(&[
            scenario.cause_for_ana(ben, scenario.heart()),
            scenario.cause_for_ana(caro, scenario.reaction()),
            scenario.cause_for_ana(ben, Act::LinkShare { post }),
            Cause { recipient: caro, actor: ben, act: Act::MessageShare { post, share } },
            Cause { recipient: dan, actor: ana, act: Act::Mention { post, comment: None } },
            Cause {
                recipient: ben,
                actor: dan,
                act: Act::Mention { post, comment: Some(mention) },
            },
            scenario.cause_for_ana(ben, Act::Comment { post, comment: comment.id }),
            Cause {
                recipient: ben,
                actor: caro,
                act: Act::Reply { post, comment: reply.id, parent: comment.id },
            },
            scenario.cause_for_ana(ben, Act::Follow),
            scenario.cause_for_ana(caro, Act::FollowRequest),
            scenario.cause_for_ana(dan, Act::FollowAcceptance),
        ])
        .await;
}

async fn create_three_hearts(scenario: &mut Scenario) -> NotificationId {
    create_hearts(scenario, 3).await
}

/// Creates this many hearts and returns the notification about them.
async fn create_hearts(scenario: &mut Scenario, count: usize) -> NotificationId {
    for _ in 0..count {
        let user = create_user(&scenario.database).await;
        add_heart(scenario, user).await;
    }
    scenario.only_notification().await.notification.id
}

async fn add_heart(scenario: &mut Scenario, user: UserId) {
    scenario.conn.hearts().add(&[a_heart(user, scenario.post.id)]).await.unwrap();
    scenario.notify_ana(&[user], scenario.heart()).await;
}

async fn set_column(scenario: &Scenario, column: &str, value: &str, id: NotificationId) {
    let sql = format!("UPDATE notifications SET {column} = {value} WHERE id = '{id}'");
    scenario.database.execute(&sql).await;
}

async fn mismatches(scenario: &mut Scenario) -> Vec<Mismatch> {
    mismatches_in(scenario, TABLE).await
}

async fn mismatches_in(scenario: &mut Scenario, table: CounterTable) -> Vec<Mismatch> {
    let batch = Counters::new(&mut scenario.conn).verify(table, None, 1_000).await.unwrap();
    batch.map(|batch| batch.mismatches).unwrap_or_default()
}

async fn repair(scenario: &mut Scenario, mismatch: &Mismatch) {
    let repaired: Result<()> = scenario
        .database
        .pool
        .transaction(async |tx| Counters::new(tx).repair(mismatch, NOON).await)
        .await;
    repaired.unwrap();
}
