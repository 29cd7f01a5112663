//! Lists of notifications: paging, filters, totals and what each notification shows.

use grateful_domain::notification::{Act, RenderedNotification};
use grateful_domain::{NotificationId, Total};
use grateful_storage::{NotificationQuery, NotificationRead, QueryLog, Repositories};

use super::scenario::{Scenario, summary_line};
use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn paging_returns_notifications_by_latest_activity_first() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 7] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    scenario.notify_ana(&actors[..2], scenario.heart()).await;
    let (ana, mut conn) = (scenario.ana, scenario.database.connect().await);

    let found = collect_pages(3, async |page| {
        conn.notifications().list(NotificationQuery::of(ana).page(page)).await.unwrap()
    })
    .await;

    assert_eq!(ids(&found), ids(&scenario.list_for(ana).await));
    assert_eq!(found.len(), 8);
    assert_eq!(summary_line(&found[0]), "* 2 people engaged with your post");
    let times: Vec<_> =
        found.iter().map(|rendered| rendered.notification.last_updated_at).collect();
    assert!(times.is_sorted_by(|newer, older| newer > older));
}

/// Notifications of equal times are sorted by id; otherwise a page could repeat one and omit another.
#[tokio::test]
async fn paging_through_notifications_of_one_time_has_no_gaps() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 7] = scenario.create_users().await;
    let causes = actors.map(|actor| scenario.cause_for_ana(actor, Act::FollowRequest));
    scenario.record(&causes).await;
    let (ana, mut conn) = (scenario.ana, scenario.database.connect().await);

    let found = collect_pages(2, async |page| {
        conn.notifications().list(NotificationQuery::of(ana).page(page)).await.unwrap()
    })
    .await;

    let ids = ids(&found);
    assert_eq!(ids.len(), 7);
    assert!(ids.is_sorted_by(|newer, older| newer > older));
}

#[tokio::test]
async fn unread_notifications_can_be_listed_alone() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    scenario.notify_ana(&actors, Act::FollowRequest).await;
    let ana = scenario.ana;
    let middle = scenario.list_for(ana).await[1].notification.id;
    scenario
        .conn
        .notifications()
        .mark_read(&[NotificationRead { owner: ana, id: middle, at: scenario.now }])
        .await
        .unwrap();

    let listed = scenario
        .conn
        .notifications()
        .list(NotificationQuery::of(ana).unread().page(first_page(2)))
        .await
        .unwrap();

    assert_eq!(listed.items.len(), 2);
    assert!(listed.items.iter().all(|rendered| rendered.notification.id != middle));
    assert_eq!(listed.next, None);
}

#[tokio::test]
async fn the_children_of_a_batch_are_counted_only_for_their_owner() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    scenario.notify_ana(&actors, scenario.heart()).await;
    let batch = scenario.only_notification().await.notification.id;
    let mut conn = scenario.database.pool.acquire().await.unwrap();

    for (viewer, expected) in [(scenario.ana, 3), (actors[0], 0)] {
        for (max, total) in
            [(99, Total::Exactly(expected)), (2, Total::from_capped_count(expected, 2))]
        {
            let children = NotificationQuery::of(viewer).children_of(batch).with_total(max);
            assert_eq!(conn.notifications().list(children).await.unwrap().total, Some(total));
        }
    }
}

#[tokio::test]
async fn a_batch_shows_up_to_eight_actors_with_followed_ones_first() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 10] = scenario.create_users().await;
    scenario.notify_ana(&actors, scenario.heart()).await;
    for (followed, status) in [(actors[0], "active"), (actors[1], "pending")] {
        let (ana, values) =
            (scenario.ana, "INSERT INTO follows (id, follower_id, followed_id, status)");
        let insert = format!("{values} VALUES (gen_random_uuid(), {ana}, {followed}, '{status}')");
        scenario.database.execute(&insert).await;
    }

    let shown: Vec<_> =
        scenario.only_notification().await.actors.iter().map(|actor| actor.id).collect();

    let mut expected = vec![actors[0]];
    expected.extend(actors[3..].iter().rev());
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn texts_use_current_names() {
    let mut scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    scenario.notify_ana(&[ben], scenario.heart()).await;
    scenario.notify_ana(&[ben], scenario.reaction()).await;
    let rename = "UPDATE users SET username = 'benedikt', display_name = 'Benedikt' WHERE id =";
    scenario.database.execute(&format!("{rename} {ben}")).await;

    let rendered = scenario.only_notification().await;

    let message = "Benedikt liked your post and reacted with 🤗";
    assert_eq!(rendered.text.message, message);
    let [actor] = &rendered.actors[..] else { panic!("{:?}", rendered.actors) };
    assert_eq!(actor.username.as_str(), "benedikt");
}

#[tokio::test]
async fn a_list_takes_two_statements_at_any_length() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    for number in [1, 10] {
        for _ in 0..number {
            let post = grateful_test_database::a_post()
                .by(scenario.ana)
                .insert_into(&scenario.database)
                .await
                .id;
            scenario.notify_ana(&[ben, caro], Act::Heart { post }).await;
        }
        let mut conn = scenario.database.pool.acquire().await.unwrap();

        let (list, queries) = QueryLog::record(
            conn.notifications().list(NotificationQuery::of(scenario.ana).page(first_page(20))),
        )
        .await;

        assert!(number <= list.unwrap().items.len());
        assert_eq!(queries.total(), 2);
    }
}

fn ids(list: &[RenderedNotification]) -> Vec<NotificationId> {
    list.iter().map(|rendered| rendered.notification.id).collect()
}
