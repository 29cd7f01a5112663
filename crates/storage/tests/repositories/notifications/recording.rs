use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{NotificationType, ShareId};
use grateful_storage::{
    HeldBackEvent, QueryLog, RecordResult, RemovedMentions, Repositories, Result, StorageError,
};
use grateful_testkit::{a_post, a_user, block, create_user};
use uuid::Uuid;

use super::scenario::World;

#[tokio::test]
async fn what_happened_is_told_as_the_domain_has_it() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    let event = world.event(world.to_ana(ben, world.heart()));

    let recorded = world.conn.notifications().record(std::slice::from_ref(&event)).await.unwrap();

    assert_eq!(recorded, RecordResult::default());
    let seen = world.only().await;
    let it = &seen.notification;
    assert_eq!((it.id, it.created_at, it.last_updated_at), (event.id, event.at, event.at));
    assert_eq!((it.recipient, it.actor, it.kind), (world.ana, Some(ben), NotificationType::Like));
    assert_eq!((it.post, it.act.clone()), (Some(world.post.id), Some(world.heart().dedup_key())));
    assert_eq!(it.key, event.cause.key());
    assert_eq!((it.read_at, it.closed_at, it.parent, it.batch), (None, None, None, None));
    let from = seen.actor.unwrap();
    assert_eq!(it.data, event.data(from.username.as_str()));
    assert_eq!(it.text.message, format!("{} liked your post", from.name()));
    // As it is stored, for whoever reads the table.
    let stored = format!(
        "notifications WHERE title = 'New Like 💜' AND message = '{}' AND NOT read",
        it.text.message
    );
    assert_eq!(world.database.count(&stored).await, 1);
}

#[tokio::test]
async fn what_is_told_twice_is_there_once() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let before = world.only().await;

    world.tell_ana(&[ben, caro, ben], world.heart()).await;

    assert_eq!(world.only().await, before);
    assert_eq!(world.rows().await, 3);
}

#[tokio::test]
async fn the_same_event_twice_in_one_call_is_there_once() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    let cause = world.to_ana(ben, world.heart());

    world.record(&[cause, cause]).await;

    assert_eq!(world.only().await.notification.batch, None);
    assert_eq!(world.rows().await, 1);
}

#[tokio::test]
async fn a_post_that_is_sent_to_two_is_told_to_both() {
    let mut world = World::create().await;
    let [ben, caro, dan] = world.people().await;
    let act = Act::MessageShare { post: world.post.id, share: ShareId::from(Uuid::from_u128(1)) };

    world.record(&[caro, dan].map(|recipient| Cause { recipient, actor: ben, act })).await;

    for recipient in [caro, dan] {
        assert_eq!(world.told(recipient).await, ["* N sent you a post"]);
    }
    assert_eq!(world.told(world.ana).await, [""; 0]);
}

/// Each sees what the one before left.
#[tokio::test]
async fn several_events_for_one_person_are_told_in_their_order() {
    let mut world = World::create().await;
    let [ben, caro, dan] = world.people().await;
    let comment = world.comment_by(dan).await.id;
    let said = Act::Comment { post: world.post.id, comment };
    let named = Act::Mention { post: world.post.id, comment: Some(comment) };

    world
        .record(&[
            world.to_ana(ben, world.heart()),
            world.to_ana(dan, said),
            Cause { recipient: ben, actor: dan, act: named },
            world.to_ana(caro, world.reaction()),
            world.to_ana(caro, world.heart()),
        ])
        .await;

    let list = world.list_of(world.ana).await;
    let gathered: Vec<_> = list.iter().map(|it| it.notification.batch).collect();
    assert_eq!(gathered.len(), 2);
    assert!(
        gathered.contains(&Some(BatchCounts { child_count: 3, actor_count: 2 })),
        "{gathered:?}"
    );
    assert!(gathered.contains(&None));
    assert_eq!(world.told(ben).await, ["* N mentioned you in a post: How lovely"]);
}

#[tokio::test]
async fn nobody_is_told_of_their_own_act() {
    let mut world = World::create().await;

    world.record(&[world.to_ana(world.ana, world.heart())]).await;

    assert_eq!(world.rows().await, 0);
}

#[tokio::test]
async fn nobody_is_told_of_anything_across_a_block() {
    let mut world = World::create().await;
    let [ben, caro, dan] = world.people().await;
    block(&world.database, world.ana, ben).await;
    block(&world.database, caro, world.ana).await;

    let recorded =
        world.record(&[ben, caro, dan].map(|actor| world.to_ana(actor, world.heart()))).await;

    assert_eq!(world.only().await.notification.actor, Some(dan));
    assert_eq!(recorded, RecordResult::default());
}

/// A block stands between them and its author, or it is private: what names them there, and what answers them.
#[tokio::test]
async fn nobody_is_told_of_what_is_said_where_they_cannot_see_it() {
    let mut world = World::create().await;
    let [ben, caro, dan, eve] = world.people().await;
    block(&world.database, world.ana, ben).await;
    block(&world.database, caro, world.ana).await;
    let post = world.post.id;
    let comment = world.comment_by(eve).await.id;
    let named = Act::Mention { post, comment: Some(comment) };
    let answered = Act::Reply { post, comment, parent: comment };
    let tell_all =
        |act| [ben, caro, dan, world.ana].map(|to| Cause { recipient: to, actor: eve, act });
    let causes = [tell_all(named), tell_all(answered)].concat();

    world.record(&causes).await;

    assert_eq!(world.rows().await, 4);
    for untold in [ben, caro] {
        assert_eq!(world.told(untold).await, [""; 0]);
    }
    world.database.execute("DELETE FROM notifications; UPDATE posts SET is_public = false").await;
    world.record(&causes).await;
    assert_eq!(world.rows().await, 2);
    assert_eq!(world.told(world.ana).await.len(), 2);
}

#[tokio::test]
async fn an_edit_tells_some_and_takes_back_what_others_were_told_in_five_statements() {
    for people in [1, 50] {
        let mut world = World::create().await;
        let (post, ana) = (world.post.id, world.ana);
        let mention = Act::Mention { post, comment: None };
        let elsewhere = Act::Mention { post, comment: Some(world.comment_by(ana).await.id) };
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for _ in 0..people {
            old.push(a_user().insert_into(&world.database).await);
            new.push(create_user(&world.database).await);
        }
        let by_ana = |to, act| Cause { recipient: to, actor: ana, act };
        let first: Vec<Cause> = old.iter().map(|it| by_ana(it.id, mention)).collect();
        world.record(&first).await;
        let kept: Vec<Cause> = old.iter().map(|it| by_ana(it.id, elsewhere)).collect();
        world.record(&kept).await;
        let events: Vec<_> = new.iter().map(|to| world.event(by_ana(*to, mention))).collect();
        let names: Vec<String> =
            old.iter().map(|it| it.username.as_str().to_uppercase()).chain(["x".into()]).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let gone = RemovedMentions { actor: ana, mention, names: &names };

        let mut conn = world.database.pool.acquire().await.unwrap();
        let mut inboxes = conn.notifications();
        let edit = inboxes.update_mentions(&events, gone, world.now);
        let (recorded, queries) = QueryLog::record(edit).await;

        assert_eq!(recorded.unwrap(), RecordResult::default());
        assert_eq!(queries.total(), 5, "{queries:#?}");
        for (old, new) in old.iter().zip(new) {
            let kept = ["* N mentioned you in a post: How lovely"];
            assert_eq!(world.told(old.id).await, kept);
            assert_eq!(world.told(new).await, ["* N mentioned you in a post: For the bus driver"]);
        }
    }
}

#[tokio::test]
async fn whoever_is_told_newly_loses_nothing_by_a_name_that_they_had() {
    let mut world = World::create().await;
    let ben = a_user().with_username("ben").insert_into(&world.database).await.id;
    let mention = Act::Mention { post: world.post.id, comment: None };
    let cause = Cause { recipient: ben, actor: world.ana, act: mention };
    world.record(&[cause]).await;
    let before = world.list_of(ben).await;
    let gone = RemovedMentions { actor: world.ana, mention, names: &["ben"] };

    let event = world.event(cause);
    world.conn.notifications().update_mentions(&[event], gone, world.now).await.unwrap();
    assert_eq!(world.list_of(ben).await, before);

    world.conn.notifications().update_mentions(&[], gone, world.now).await.unwrap();
    assert_eq!(world.told(ben).await, [""; 0]);
}

#[tokio::test]
async fn what_somebody_has_switched_off_is_not_told() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    let preferences = r#"{"notifications": {"like": false, "emoji_reaction": true}, "theme": 1}"#;
    world
        .database
        .execute(&format!(
            "UPDATE users SET profile_preferences = '{preferences}' WHERE id = {}",
            world.ana
        ))
        .await;

    world
        .record(&[world.heart(), world.reaction(), Act::Follow].map(|act| world.to_ana(ben, act)))
        .await;

    let mut told = world.told(world.ana).await;
    told.sort();
    assert_eq!(told, ["* N reacted to your post with 🤗", "* N started following you"]);
}

/// Whatever else clients keep there.
#[tokio::test]
async fn odd_preferences_switch_nothing_off() {
    let mut world = World::create().await;
    let odd = [r#"{"notifications": []}"#, r#"{"notifications": {"like": null}}"#, "{}"];
    for preferences in odd {
        let [ben] = world.people().await;
        let set = format!("UPDATE users SET profile_preferences = '{preferences}'");
        world.database.execute(&set).await;

        world.record(&[world.to_ana(ben, world.heart())]).await;
    }

    assert_eq!(world.only().await.notification.batch_counts().child_count, 3);
}

#[tokio::test]
async fn what_is_not_saved_is_not_told() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    let event = world.event(world.to_ana(ben, world.heart()));

    let unfinished: Result<()> = world
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Err(StorageError::Corrupt { column: "of no table" })
        })
        .await;

    assert!(unfinished.is_err());
    assert_eq!(world.rows().await, 0);
    assert_eq!(world.database.count("notification_quotas").await, 0);
    assert_eq!(
        world.conn.notifications().find_inbox_position(world.ana).await.unwrap().last_seq,
        0
    );
}

#[tokio::test]
async fn nothing_is_told_to_or_of_who_is_not_there() {
    let mut world = World::create().await;
    let [ben, gone] = world.people().await;
    world.database.execute(&format!("DELETE FROM users WHERE id = {gone}")).await;

    world
        .record(&[
            world.to_ana(gone, Act::Follow),
            Cause { recipient: gone, actor: ben, act: Act::Follow },
            world.to_ana(ben, Act::Follow),
        ])
        .await;

    assert_eq!(world.rows().await, 1);
    assert_eq!(world.only().await.notification.actor, Some(ben));
}

#[tokio::test]
async fn the_twenty_first_start_of_a_type_within_the_hour_is_held_back() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let twenty = hearts_on_posts(&mut world, 20).await;
    let causes: Vec<Cause> = twenty.iter().map(|act| world.to_ana(ben, *act)).collect();
    assert_eq!(world.record(&causes).await, RecordResult::default());
    world.wait(TimeDelta::minutes(59));

    let to_caro = Cause { recipient: caro, actor: ben, act: Act::Follow };
    let recorded = world
        .record(&[world.to_ana(ben, world.heart()), to_caro, world.to_ana(ben, Act::Follow)])
        .await;

    let held_back = HeldBackEvent { recipient: world.ana, kind: NotificationType::Like };
    assert_eq!(recorded, RecordResult { held_back: vec![held_back] });
    assert_eq!(world.list_of(world.ana).await.len(), 21);
    assert_eq!(world.told(caro).await, ["* N started following you"]);

    world.wait(TimeDelta::minutes(1));
    assert_eq!(world.record(&[world.to_ana(ben, world.heart())]).await, RecordResult::default());
    let like = Some(NotificationType::Like);
    let stats = world.conn.notifications().stats(world.ana, like, world.now).await.unwrap();
    assert_eq!((stats.remaining, stats.held_back), (Some(19), 1));
}

#[tokio::test]
async fn joining_converting_and_coming_back_are_not_limited() {
    let mut world = World::create().await;
    let [ben, caro, dan] = world.people().await;
    let twenty = hearts_on_posts(&mut world, 20).await;
    for actor in [ben, caro, dan] {
        let causes: Vec<Cause> = twenty.iter().map(|act| world.to_ana(actor, *act)).collect();
        assert_eq!(world.record(&causes).await, RecordResult::default());
    }
    let of_ben: Vec<Cause> = twenty.iter().map(|act| world.to_ana(ben, *act)).collect();
    world.withdraw(&of_ben).await;

    assert_eq!(world.record(&of_ben).await, RecordResult::default());

    let list = world.list_of(world.ana).await;
    assert_eq!(list.len(), 20);
    assert!(list.iter().all(|it| it.notification.batch_counts().actor_count == 3));
    let recorded = world.record(&[world.to_ana(ben, world.heart())]).await;
    assert_eq!(recorded.held_back.len(), 1);
}

/// Locking, looking and writing: as many statements for ten people as for one.
#[tokio::test]
async fn three_statements_tell_any_number_of_people() {
    let world = World::create().await;
    let [ben] = world.people().await;
    let people: [_; 10] = world.people().await;
    let act = Act::MessageShare { post: world.post.id, share: ShareId::from(Uuid::from_u128(1)) };
    for (number, recipients) in [(1, &people[..1]), (10, &people[..])] {
        let causes = recipients.iter().map(|it| Cause { recipient: *it, actor: ben, act });
        let events: Vec<_> = causes.map(|cause| world.event(cause)).collect();
        let mut conn = world.database.pool.acquire().await.unwrap();

        let (recorded, queries) = QueryLog::record(conn.notifications().record(&events)).await;

        recorded.unwrap();
        assert_eq!(queries.total(), 3, "{number} recipients");
    }
}

/// Hearts on as many posts of Ana.
async fn hearts_on_posts(world: &mut World, number: usize) -> Vec<Act> {
    let mut acts = Vec::new();
    for _ in 0..number {
        let post = a_post().by(world.ana).insert_into(&world.database).await.id;
        acts.push(Act::Heart { post });
    }
    acts
}
