//! Reading.

use chrono::TimeDelta;
use grateful_application::notifications::ReadFilter;
use grateful_application::{Error, Resource, notifications};
use grateful_domain::NotificationId;
use grateful_domain::notification::Act;
use grateful_storage::Repositories;
use grateful_testkit::NOON;

use crate::support::{ALL, Stage, commit_when_waited_for, event, is_read, post_by};

#[tokio::test]
async fn reading_a_batch_reads_all_that_it_gathers() {
    let stage = Stage::set().await;
    let batch = a_batch(&stage).await;

    notifications::mark_read(&stage.app, stage.ana, batch).await.unwrap();
    notifications::mark_read(&stage.app, stage.ana, batch).await.unwrap();

    assert!(is_read(&stage.only(stage.ana).await));
    assert_eq!(stage.database.count("notifications WHERE NOT read").await, 0);
    assert_eq!(stage.counts(stage.ana).await, (0, 1));
    stage.assert_sound().await;
}

#[tokio::test]
async fn reading_an_entry_leaves_its_batch_unread() {
    let stage = Stage::set().await;
    let batch = a_batch(&stage).await;
    let entries =
        notifications::list_children(&stage.app, stage.ana, batch, ALL).await.unwrap().items;

    for entry in &entries {
        notifications::mark_read(&stage.app, stage.ana, entry.notification.id).await.unwrap();
    }

    assert_eq!(entries.len(), 2);
    assert!(!is_read(&stage.only(stage.ana).await));
    assert_eq!(stage.database.count("notifications WHERE read").await, 2);
    assert_eq!(stage.counts(stage.ana).await, (1, 1));
}

#[tokio::test]
async fn whoever_joins_makes_a_batch_unread_again_and_not_what_it_had_before() {
    let stage = Stage::set().await;
    let batch = a_batch(&stage).await;
    notifications::mark_read(&stage.app, stage.ana, batch).await.unwrap();

    stage.react(stage.caro, grateful_domain::Emoji::Hug).await;

    assert_eq!(stage.counts(stage.ana).await, (1, 1));
    let entries =
        notifications::list_children(&stage.app, stage.ana, batch, ALL).await.unwrap().items;
    assert_eq!(entries.iter().map(is_read).filter(|it| *it).count(), 2);
    assert_eq!(entries.len(), 3);
}

#[tokio::test]
async fn nobody_reads_what_somebody_else_is_told() {
    let stage = Stage::set().await;
    let batch = a_batch(&stage).await;

    let read = notifications::mark_read(&stage.app, stage.ben, batch).await;
    let entries = notifications::list_children(&stage.app, stage.ben, batch, ALL).await;
    let nothing = NotificationId::from(uuid::Uuid::nil());
    let unknown = notifications::mark_read(&stage.app, stage.ana, nothing).await;

    for refused in [read, unknown, entries.map(drop)] {
        let is_not_found =
            matches!(refused, Err(Error::NotFound { resource: Resource::Notification, .. }));
        assert!(is_not_found, "{refused:?}");
    }
    assert_eq!(stage.counts(stage.ana).await, (1, 1));
}

#[tokio::test]
async fn reading_all_tells_how_many_of_the_list_were_unread() {
    let stage = Stage::set().await;
    a_batch(&stage).await;
    stage.link(stage.ben).await;
    stage.say(stage.ben, "So kind").await;
    let listed = stage.list(stage.ana).await;
    notifications::mark_read(&stage.app, stage.ana, listed[0].notification.id).await.unwrap();

    let marked = notifications::mark_all_read(&stage.app, stage.ana).await.unwrap();
    let again = notifications::mark_all_read(&stage.app, stage.ana).await.unwrap();
    let never_told = notifications::mark_all_read(&stage.app, stage.caro).await.unwrap();

    assert_eq!((marked, again, never_told), (2, 0, 0));
    assert_eq!(stage.database.count("notifications WHERE NOT read").await, 0);
    assert_eq!(stage.counts(stage.ana).await, (0, 3));
}

#[tokio::test]
async fn only_what_is_unread_is_listed_where_that_is_asked_for() {
    let stage = Stage::set().await;
    stage.link(stage.ben).await;
    stage.read_everything(stage.ana).await;
    let batch = a_batch(&stage).await;

    let unread = notifications::list(&stage.app, stage.ana, ReadFilter::Unread, ALL).await.unwrap();

    assert_eq!(unread.items.len(), 1);
    assert_eq!(unread.items[0].notification.id, batch);
    assert_eq!(stage.list(stage.ana).await.len(), 2);
}

#[tokio::test]
async fn reading_all_does_not_read_what_comes_between_the_asking_and_the_marking() {
    let stage = Stage::set().await;
    let batch = a_batch(&stage).await;
    stage.link(stage.ben).await;
    let later = NOON + TimeDelta::seconds(1);
    let another = post_by(&stage.database, stage.ana).await;
    let mut in_flight = stage.database.begin("SELECT 1").await;
    let joins = event(stage.ana, stage.caro, Act::Reaction { post: stage.post.id }, later);
    let starts = event(stage.ana, stage.caro, Act::Heart { post: another }, later);
    in_flight.notifications().record(&[joins, starts]).await.unwrap();

    let asked = notifications::mark_all_read(&stage.app, stage.ana);
    let (marked, ()) = tokio::join!(asked, commit_when_waited_for(&stage.database, in_flight));

    assert_eq!(marked.unwrap(), 1, "the link");
    let list = stage.list(stage.ana).await;
    let unread: Vec<bool> = list.iter().map(|it| !is_read(it)).collect();
    assert_eq!(unread, [true, true, false]);
    assert!(list[..2].iter().any(|it| it.notification.id == batch));
    assert_eq!(stage.counts(stage.ana).await, (2, 3));
}

#[tokio::test]
async fn reading_all_reads_what_another_node_told_whose_clock_is_ahead() {
    let stage = Stage::set().await;
    let ahead = NOON + TimeDelta::hours(1);
    let heart = event(stage.ana, stage.ben, Act::Heart { post: stage.post.id }, ahead);
    stage.database.connect().await.notifications().record(&[heart]).await.unwrap();

    let marked = notifications::mark_all_read(&stage.app, stage.ana).await.unwrap();

    assert_eq!(marked, 1);
    assert_eq!(stage.counts(stage.ana).await, (0, 1));
}

/// Two hearts for Ana's post.
async fn a_batch(stage: &Stage) -> NotificationId {
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    let list = stage.list(stage.ana).await;
    list.iter().find(|it| it.notification.batch.is_some()).unwrap().notification.id
}
