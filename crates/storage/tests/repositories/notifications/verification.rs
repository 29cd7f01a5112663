use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{NotificationId, ShareId, UserId};
use grateful_storage::{CounterTable, Mismatch, Repositories, Result};
use grateful_testkit::{
    a_comment, a_heart, a_link_share, a_message_share, a_reaction, create_user,
};

use super::scenario::World;

const TABLE: CounterTable = CounterTable::Notifications;

#[tokio::test]
async fn what_real_acts_have_caused_differs_nowhere() {
    let mut world = World::create().await;
    every_act(&mut world).await;

    assert_eq!(mismatches(&mut world).await, []);
    assert_eq!(world.rows().await, 12);
}

#[tokio::test]
async fn wrong_numbers_of_a_batch_are_found_and_mended() {
    let mut world = World::create().await;
    let batch = hearts_of_three(&mut world).await;
    for column in ["batch_count", "actor_count"] {
        set(&world, column, "7", batch).await;

        let found = mismatches(&mut world).await;

        let (key, column) = (batch.to_string(), column.to_owned());
        assert_eq!(found, [Mismatch { table: TABLE, key, column, stored: 7, actual: 3 }]);
        mend(&mut world, &found[0]).await;
        assert_eq!(mismatches(&mut world).await, []);
        let mended = world.only().await.notification;
        assert_eq!(mended.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    }
}

#[tokio::test]
async fn wrong_numbers_of_a_single_are_found_and_mended() {
    let mut world = World::create().await;
    let single = hearts_of(&mut world, 1).await;
    for column in ["batch_count", "actor_count"] {
        set(&world, column, "0", single).await;

        let found = mismatches(&mut world).await;

        let (key, column) = (single.to_string(), column.to_owned());
        assert_eq!(found, [Mismatch { table: TABLE, key, column, stored: 0, actual: 1 }]);
        mend(&mut world, &found[0]).await;
        assert_eq!(mismatches(&mut world).await, []);
    }
}

#[tokio::test]
async fn unread_entries_below_what_was_read_are_found_and_mended() {
    let mut world = World::create().await;
    let batch = hearts_of_three(&mut world).await;
    set(&world, "read_at", "'2026-01-06', read = true", batch).await;

    let found = mismatches(&mut world).await;

    let [mismatch] = &found[..] else { panic!("{found:?}") };
    assert_eq!(mismatch.column, "unread entries below what was read");
    assert_eq!((mismatch.stored, mismatch.actual), (3, 0));
    mend(&mut world, mismatch).await;
    assert_eq!(mismatches(&mut world).await, []);
    let read = world.only().await.notification.read_at;
    let entries = world.entries(batch).await;
    assert!(entries.iter().all(|it| it.notification.read_at == read));
}

#[tokio::test]
async fn an_entry_that_nothing_has_caused_is_found_and_goes() {
    let mut world = World::create().await;
    let batch = hearts_of_three(&mut world).await;
    let newest = world.only().await.notification.actor.unwrap();
    world.database.execute(&format!("DELETE FROM likes WHERE user_id = {newest}")).await;

    let found = mismatches(&mut world).await;

    let [mismatch] = &found[..] else { panic!("{found:?}") };
    assert_eq!(mismatch.column, "entries, which acts have caused");
    assert_eq!((mismatch.stored, mismatch.actual), (3, 2));
    mend(&mut world, mismatch).await;
    assert_eq!(mismatches(&mut world).await, []);
    let mended = world.only().await;
    assert_eq!(mended.notification.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    let shown = &world.entries(batch).await[0];
    assert_eq!(mended.notification.actor, shown.notification.actor);
    assert_eq!(mended.notification.data, shown.notification.data);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_left_goes() {
    let mut world = World::create().await;
    hearts_of_three(&mut world).await;
    world.database.execute("DELETE FROM likes").await;

    let found = mismatches(&mut world).await;
    mend(&mut world, &found[0]).await;

    assert_eq!(world.rows().await, 0);
}

/// Whatever the type, a notification needs its own act, and no other will do.
#[tokio::test]
async fn whatever_happened_without_its_act_is_found() {
    for (undone, left) in [
        ("DELETE FROM likes", 1),
        ("DELETE FROM emoji_reactions", 1),
        ("DELETE FROM shares WHERE share_method = 'url'", 1),
        ("DELETE FROM shares WHERE share_method = 'message'", 1),
        ("DELETE FROM follows WHERE status = 'active'", 2),
        ("DELETE FROM follows WHERE status = 'pending'", 1),
        ("UPDATE comments SET author_id = (SELECT min(id) FROM users)", 3),
        ("UPDATE posts SET author_id = (SELECT max(id) FROM users)", 1),
        // What names somebody where they cannot read it.
        ("UPDATE posts SET is_public = false", 2),
    ] {
        let mut world = World::create().await;
        every_act(&mut world).await;
        world.database.execute(undone).await;

        let found = mismatches(&mut world).await;

        let missing: i64 = found.iter().map(|it| it.stored - it.actual).sum();
        assert_eq!(missing, left, "{undone}: {found:?}");
        for mismatch in &found {
            mend(&mut world, mismatch).await;
        }
        assert_eq!(mismatches(&mut world).await, [], "{undone}");
    }
}

/// Only without the index that keeps it from happening.
#[tokio::test]
async fn two_that_are_open_under_one_key_are_found() {
    let mut world = World::create().await;
    hearts_of(&mut world, 1).await;
    world.wait(chrono::TimeDelta::hours(2));
    let ben = create_user(&world.database).await;
    heart(&mut world, ben).await;
    world
        .database
        .execute("DROP INDEX notifications_one_open; UPDATE notifications SET closed_at = NULL")
        .await;

    let found = mismatches(&mut world).await;

    assert_eq!(found.len(), 2);
    for mismatch in found {
        assert_eq!((&*mismatch.column, mismatch.actual), ("open under its key", 2));
    }
}

#[tokio::test]
async fn notifications_are_gone_through_in_steps_that_leave_none_out() {
    let mut world = World::create().await;
    let people: [UserId; 7] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    let (mut sizes, mut keys, mut after) = (Vec::new(), Vec::new(), None);

    while let Some(step) = world.conn.counters().verify(TABLE, after, 3).await.unwrap() {
        sizes.push(step.rows);
        keys.extend(step.mismatches.into_iter().map(|mismatch| mismatch.key));
        after = Some(step.last_key);
    }

    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(keys.len(), 7, "nobody has really asked");
}

#[tokio::test]
async fn mending_what_is_gone_meanwhile_is_no_failure() {
    let mut world = World::create().await;
    let batch = hearts_of_three(&mut world).await;
    set(&world, "batch_count", "7", batch).await;
    let found = mismatches(&mut world).await;
    world.database.execute("DELETE FROM notifications").await;

    mend(&mut world, &found[0]).await;
}

/// One of everything, each done and told of: a batch of two, and nine by themselves.
async fn every_act(world: &mut World) {
    let [ben, caro, dan] = world.people().await;
    let (ana, post) = (world.ana, world.post.id);
    let comment = world.comment_by(ben).await;
    let reply = a_comment().by(caro).replying_to(&comment).insert_into(&world.database).await;
    let named = a_comment().by(dan).on(&world.post).insert_into(&world.database).await.id;
    let message = a_message_share(ben, post, &[caro]);
    let mut conn = world.database.connect().await;
    conn.hearts().add(&a_heart(ben, post)).await.unwrap();
    conn.emoji_reactions().set(&a_reaction(caro, post)).await.unwrap();
    for share in [a_link_share(ben, post), message.clone()] {
        conn.shares().create(&share).await.unwrap();
    }
    world
        .database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status) VALUES
                 (gen_random_uuid(), {ben}, {ana}, 'active'),
                 (gen_random_uuid(), {caro}, {ana}, 'pending'),
                 (gen_random_uuid(), {ana}, {dan}, 'active')"
        ))
        .await;
    let share: ShareId = message.id;
    world
        .record(&[
            world.to_ana(ben, world.heart()),
            world.to_ana(caro, world.reaction()),
            world.to_ana(ben, Act::LinkShare { post }),
            Cause { recipient: caro, actor: ben, act: Act::MessageShare { post, share } },
            Cause { recipient: dan, actor: ana, act: Act::Mention { post, comment: None } },
            Cause { recipient: ben, actor: dan, act: Act::Mention { post, comment: Some(named) } },
            world.to_ana(ben, Act::Comment { post, comment: comment.id }),
            Cause {
                recipient: ben,
                actor: caro,
                act: Act::Reply { post, comment: reply.id, parent: comment.id },
            },
            world.to_ana(ben, Act::Follow),
            world.to_ana(caro, Act::FollowRequest),
            world.to_ana(dan, Act::FollowAcceptance),
        ])
        .await;
}

async fn hearts_of_three(world: &mut World) -> NotificationId {
    hearts_of(world, 3).await
}

/// What tells of hearts that so many people really gave.
async fn hearts_of(world: &mut World, people: usize) -> NotificationId {
    for _ in 0..people {
        let person = create_user(&world.database).await;
        heart(world, person).await;
    }
    world.only().await.notification.id
}

async fn heart(world: &mut World, person: UserId) {
    world.conn.hearts().add(&a_heart(person, world.post.id)).await.unwrap().unwrap();
    world.tell_ana(&[person], world.heart()).await;
}

async fn set(world: &World, column: &str, value: &str, id: NotificationId) {
    let sql = format!("UPDATE notifications SET {column} = {value} WHERE id = '{id}'");
    world.database.execute(&sql).await;
}

async fn mismatches(world: &mut World) -> Vec<Mismatch> {
    let step = world.conn.counters().verify(TABLE, None, 1_000).await.unwrap();
    step.map(|step| step.mismatches).unwrap_or_default()
}

async fn mend(world: &mut World, mismatch: &Mismatch) {
    let mended: Result<()> =
        world.database.pool.transaction(async |tx| tx.counters().repair(mismatch).await).await;
    mended.unwrap();
}
