//! Reading.

use chrono::TimeDelta;
use grateful_application::notifications::ReadFilter;
use grateful_application::{Error, Resource, notifications};
use grateful_domain::NotificationId;
use grateful_domain::notification::Act;
use grateful_storage::Repositories;
use grateful_testkit::NOON;

use crate::support::{MAX_PAGE, Scenario, commit_once_blocking, create_post, event, is_read};

#[tokio::test]
async fn reading_a_batch_reads_all_that_it_gathers() {
    let scenario = Scenario::create().await;
    let batch = a_batch(&scenario).await;

    notifications::mark_read(&scenario.app, scenario.ana, batch).await.unwrap();
    notifications::mark_read(&scenario.app, scenario.ana, batch).await.unwrap();

    assert!(is_read(&scenario.only_notification(scenario.ana).await));
    assert_eq!(scenario.database.count("notifications WHERE NOT read").await, 0);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn reading_an_entry_leaves_its_batch_unread() {
    let scenario = Scenario::create().await;
    let batch = a_batch(&scenario).await;
    let entries = notifications::list_children(&scenario.app, scenario.ana, batch, MAX_PAGE)
        .await
        .unwrap()
        .items;

    for entry in &entries {
        notifications::mark_read(&scenario.app, scenario.ana, entry.notification.id).await.unwrap();
    }

    assert_eq!(entries.len(), 2);
    assert!(!is_read(&scenario.only_notification(scenario.ana).await));
    assert_eq!(scenario.database.count("notifications WHERE read").await, 2);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
}

#[tokio::test]
async fn whoever_joins_makes_a_batch_unread_again_and_not_what_it_had_before() {
    let scenario = Scenario::create().await;
    let batch = a_batch(&scenario).await;
    notifications::mark_read(&scenario.app, scenario.ana, batch).await.unwrap();

    scenario.set_reaction(scenario.caro, grateful_domain::Emoji::Hug).await;

    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    let entries = notifications::list_children(&scenario.app, scenario.ana, batch, MAX_PAGE)
        .await
        .unwrap()
        .items;
    assert_eq!(entries.iter().map(is_read).filter(|it| *it).count(), 2);
    assert_eq!(entries.len(), 3);
}

#[tokio::test]
async fn nobody_reads_what_somebody_else_is_told() {
    let scenario = Scenario::create().await;
    let batch = a_batch(&scenario).await;

    let read = notifications::mark_read(&scenario.app, scenario.ben, batch).await;
    let entries = notifications::list_children(&scenario.app, scenario.ben, batch, MAX_PAGE).await;
    let nothing = NotificationId::from(uuid::Uuid::nil());
    let unknown = notifications::mark_read(&scenario.app, scenario.ana, nothing).await;

    for refused in [read, unknown, entries.map(drop)] {
        let is_not_found =
            matches!(refused, Err(Error::NotFound { resource: Resource::Notification, .. }));
        assert!(is_not_found, "{refused:?}");
    }
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
}

#[tokio::test]
async fn reading_all_tells_how_many_of_the_list_were_unread() {
    let scenario = Scenario::create().await;
    a_batch(&scenario).await;
    scenario.share_link(scenario.ben).await;
    scenario.comment(scenario.ben, "So kind").await;
    let listed = scenario.list(scenario.ana).await;
    notifications::mark_read(&scenario.app, scenario.ana, listed[0].notification.id).await.unwrap();

    let marked = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();
    let again = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();
    let never_told = notifications::mark_all_read(&scenario.app, scenario.caro).await.unwrap();

    assert_eq!((marked, again, never_told), (2, 0, 0));
    assert_eq!(scenario.database.count("notifications WHERE NOT read").await, 0);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 3));
}

#[tokio::test]
async fn only_what_is_unread_is_listed_where_that_is_asked_for() {
    let scenario = Scenario::create().await;
    scenario.share_link(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    let batch = a_batch(&scenario).await;

    let unread = notifications::list(&scenario.app, scenario.ana, ReadFilter::Unread, MAX_PAGE)
        .await
        .unwrap();

    assert_eq!(unread.items.len(), 1);
    assert_eq!(unread.items[0].notification.id, batch);
    assert_eq!(scenario.list(scenario.ana).await.len(), 2);
}

#[tokio::test]
async fn reading_all_does_not_read_what_comes_between_the_asking_and_the_marking() {
    let scenario = Scenario::create().await;
    let batch = a_batch(&scenario).await;
    scenario.share_link(scenario.ben).await;
    let later = NOON + TimeDelta::seconds(1);
    let another = create_post(&scenario.database, scenario.ana).await;
    let mut in_flight = scenario.database.begin("SELECT 1").await;
    let joins = event(scenario.ana, scenario.caro, Act::Reaction { post: scenario.post.id }, later);
    let starts = event(scenario.ana, scenario.caro, Act::Heart { post: another }, later);
    in_flight.notifications().record(&[joins, starts]).await.unwrap();

    let asked = notifications::mark_all_read(&scenario.app, scenario.ana);
    let (marked, ()) = tokio::join!(asked, commit_once_blocking(&scenario.database, in_flight));

    assert_eq!(marked.unwrap(), 1, "the link");
    let list = scenario.list(scenario.ana).await;
    let unread: Vec<bool> = list.iter().map(|it| !is_read(it)).collect();
    assert_eq!(unread, [true, true, false]);
    assert!(list[..2].iter().any(|it| it.notification.id == batch));
    assert_eq!(scenario.counts(scenario.ana).await, (2, 3));
}

#[tokio::test]
async fn reading_all_reads_what_another_node_told_whose_clock_is_ahead() {
    let scenario = Scenario::create().await;
    let ahead = NOON + TimeDelta::hours(1);
    let heart = event(scenario.ana, scenario.ben, Act::Heart { post: scenario.post.id }, ahead);
    scenario.database.connect().await.notifications().record(&[heart]).await.unwrap();

    let marked = notifications::mark_all_read(&scenario.app, scenario.ana).await.unwrap();

    assert_eq!(marked, 1);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 1));
}

/// Two hearts for Ana's post.
async fn a_batch(scenario: &Scenario) -> NotificationId {
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    let list = scenario.list(scenario.ana).await;
    list.iter().find(|it| it.notification.batch.is_some()).unwrap().notification.id
}
