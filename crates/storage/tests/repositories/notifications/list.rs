use grateful_domain::notification::{Act, RenderedNotification};
use grateful_domain::{CountMode, Limit, NotificationId, NotificationType, Total};
use grateful_storage::{NotificationQuery, QueryLog, Repositories};

use super::scenario::{World, line};
use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_list_is_walked_from_the_newest_activity_to_the_oldest() {
    let mut world = World::create().await;
    let people: [_; 7] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    world.tell_ana(&people[..2], world.heart()).await;
    let (ana, mut conn) = (world.ana, world.database.connect().await);

    let met = collect_pages(3, async |page| {
        conn.notifications().list(NotificationQuery::of(ana).page(page)).await.unwrap()
    })
    .await;

    assert_eq!(ids(&met), ids(&world.list_of(ana).await));
    assert_eq!(met.len(), 8);
    assert_eq!(line(&met[0]), "* 2 people engaged with your post");
    let times: Vec<_> = met.iter().map(|it| it.notification.last_updated_at).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older));
}

/// Of one moment, by id: else a page could repeat one and lose another.
#[tokio::test]
async fn what_was_told_at_one_moment_is_walked_without_a_gap() {
    let mut world = World::create().await;
    let people: [_; 7] = world.people().await;
    let causes = people.map(|person| world.to_ana(person, Act::FollowRequest));
    world.record(&causes).await;
    let (ana, mut conn) = (world.ana, world.database.connect().await);

    let met = collect_pages(2, async |page| {
        conn.notifications().list(NotificationQuery::of(ana).page(page)).await.unwrap()
    })
    .await;

    let ids = ids(&met);
    assert_eq!(ids.len(), 7);
    assert!(ids.is_sorted_by(|newer, older| newer > older));
}

#[tokio::test]
async fn unread_ones_are_listed_by_themselves() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    let ana = world.ana;
    let middle = world.list_of(ana).await[1].notification.id;
    world.conn.notifications().mark_read(ana, middle, world.now).await.unwrap();

    let listed = world
        .conn
        .notifications()
        .list(NotificationQuery::of(ana).unread().page(first_page(2)))
        .await
        .unwrap();

    assert_eq!(listed.items.len(), 2);
    assert!(listed.items.iter().all(|it| it.notification.id != middle));
    assert_eq!(listed.next, None);
}

#[tokio::test]
async fn a_list_is_narrowed_to_a_type_and_a_time_and_counted() {
    let mut world = World::create().await;
    let people: [_; 4] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    world.tell_ana(&people[..3], world.heart()).await;
    let ana = world.ana;
    let whole = world.list_of(ana).await;
    assert_eq!(whole.len(), 5);
    let third = whole[2].notification.last_updated_at;
    let own = NotificationQuery::of(ana).limit(Limit::parse(1).unwrap());

    let requests = own.clone().of_type(NotificationType::FollowRequest);
    for (query, expected) in [
        (requests.clone(), ids(&whole[1..])),
        (requests.clone().since(third), ids(&whole[1..3])),
        (own.clone().since(third), ids(&whole[..3])),
        (own.clone().unread().of_type(NotificationType::PostInteraction), ids(&whole[..1])),
        (own.clone().of_type(NotificationType::Mention), vec![]),
    ] {
        let mut conn = world.database.pool.acquire().await.unwrap();
        let met = collect_pages(2, async |page| {
            conn.notifications().list(query.clone().page(page)).await.unwrap()
        });
        assert_eq!(ids(&met.await), expected);
        let total = i64::try_from(expected.len()).unwrap();
        for (most, total) in [(99, Total::Exactly(total)), (1, Total::from_capped_count(total, 1))]
        {
            let counted = query.clone().with_total(CountMode::UpTo(most));
            let list = conn.notifications().list(counted).await.unwrap();
            assert_eq!(list.total, Some(total));
        }
        let kept = query.with_total(CountMode::Estimated);
        assert_eq!(conn.notifications().list(kept).await.unwrap().total, None);
    }
}

#[tokio::test]
async fn the_number_of_entries_is_told_to_their_owner_in_the_same_statement() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    world.tell_ana(&people, world.heart()).await;
    let batch = world.only().await.notification.id;
    let mut conn = world.database.pool.acquire().await.unwrap();

    for (reader, number) in [(world.ana, 3), (people[0], 0)] {
        for counting in [CountMode::Estimated, CountMode::UpTo(99)] {
            let entries = NotificationQuery::of(reader).children_of(batch).with_total(counting);
            let (list, queries) = QueryLog::record(conn.notifications().list(entries)).await;
            assert_eq!(list.unwrap().total, Some(Total::Exactly(number)));
            assert_eq!(queries.total(), 1);
        }
    }
}

#[tokio::test]
async fn the_entries_of_a_batch_are_walked_newest_first_and_a_single_has_none() {
    let mut world = World::create().await;
    let people: [_; 5] = world.people().await;
    world.tell_ana(&people, world.heart()).await;
    let batch = world.only().await.notification.id;
    let (ana, mut conn) = (world.ana, world.database.connect().await);

    let met = collect_pages(2, async |page| {
        conn.notifications()
            .list(NotificationQuery::of(ana).children_of(batch).page(page))
            .await
            .unwrap()
    })
    .await;

    let by: Vec<_> = met.iter().map(|it| it.notification.actor.unwrap()).collect();
    let mut newest_first = people;
    newest_first.reverse();
    assert_eq!(by, newest_first);
    assert!(world.entries(met[0].notification.id).await.is_empty());
}

#[tokio::test]
async fn a_batch_is_shown_with_up_to_eight_people_and_those_whom_one_follows_first() {
    let mut world = World::create().await;
    let people: [_; 10] = world.people().await;
    world.tell_ana(&people, world.heart()).await;
    for (followed, status) in [(people[0], "active"), (people[1], "pending")] {
        let (ana, values) =
            (world.ana, "INSERT INTO follows (id, follower_id, followed_id, status)");
        let edge = format!("{values} VALUES (gen_random_uuid(), {ana}, {followed}, '{status}')");
        world.database.execute(&edge).await;
    }

    let shown: Vec<_> = world.only().await.actors.iter().map(|it| it.id).collect();

    let mut expected = vec![people[0]];
    expected.extend(people[3..].iter().rev());
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn names_are_those_of_today() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    world.tell_ana(&[ben], world.reaction()).await;
    let rename = "UPDATE users SET username = 'benedikt', display_name = 'Benedikt' WHERE id =";
    world.database.execute(&format!("{rename} {ben}")).await;

    let seen = world.only().await;

    let message = "Benedikt liked your post and reacted with 🤗";
    assert_eq!(seen.notification.text.message, message);
    assert_eq!(seen.notification.data["actor_username"], "benedikt");
    assert_eq!(seen.actors.len(), 1);
}

#[tokio::test]
async fn a_list_takes_two_statements_however_long_it_is() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    for number in [1, 10] {
        for _ in 0..number {
            let post =
                grateful_testkit::a_post().by(world.ana).insert_into(&world.database).await.id;
            world.tell_ana(&[ben, caro], Act::Heart { post }).await;
        }
        let mut conn = world.database.pool.acquire().await.unwrap();

        let (list, queries) = QueryLog::record(
            conn.notifications().list(NotificationQuery::of(world.ana).page(first_page(20))),
        )
        .await;

        assert!(number <= list.unwrap().items.len());
        assert_eq!(queries.total(), 2);
    }
}

fn ids(list: &[RenderedNotification]) -> Vec<NotificationId> {
    list.iter().map(|it| it.notification.id).collect()
}
