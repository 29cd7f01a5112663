//! What is measured of events: what became of each, once it is committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use grateful_domain::UserId;
use grateful_domain::notification::{Act, Event};
use grateful_storage::{Repositories, Result, StorageError, record_on_commit};
use grateful_testkit::{MetricsCapture, a_post, block};

use super::scenario::World;

#[tokio::test]
async fn every_decision_is_counted_by_what_it_is_and_what_it_is_about() {
    let mut world = World::create().await;
    let [ben, caro, dan, eve] = world.people().await;
    block(&world.database, world.ana, eve).await;
    let measured = MetricsCapture::start();

    // A single, a batch, a third in it.
    world.tell_ana(&[ben, caro], world.heart()).await;
    world.tell_ana(&[dan], world.reaction()).await;
    assert_eq!(
        told(&measured),
        counts(
            [("converted", "like", 1), ("joined", "emoji_reaction", 1), ("started", "like", 1),]
        )
    );

    world.withdraw(&[world.to_ana(caro, world.heart())]).await;
    assert_eq!(told(&measured), counts([]));

    // Back again, there already, across a block.
    world.tell_ana(&[caro, caro, eve], world.heart()).await;
    assert_eq!(told(&measured), counts([("restored", "like", 1), ("skipped", "like", 2)]));
}

#[tokio::test]
async fn what_the_hourly_limit_holds_back_did_not_start() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let mut posts = Vec::new();
    for _ in 0..22 {
        posts.push(a_post().by(world.ana).insert_into(&world.database).await.id);
    }
    let measured = MetricsCapture::start();

    for post in &posts {
        world.record(&[world.to_ana(ben, Act::Heart { post: *post })]).await;
    }
    world.record(&[world.to_ana(caro, Act::Heart { post: posts[0] })]).await;

    assert_eq!(
        told(&measured),
        counts([("converted", "like", 1), ("held_back", "like", 2), ("started", "like", 20)])
    );
}

#[tokio::test]
async fn several_events_of_one_call_are_each_counted() {
    let mut world = World::create().await;
    let [ben, caro, dan] = world.people().await;
    let causes = [ben, caro, dan].map(|actor| world.to_ana(actor, world.heart()));
    let measured = MetricsCapture::start();

    world.record(&causes).await;

    assert_eq!(
        told(&measured),
        counts([("converted", "like", 1), ("joined", "like", 1), ("started", "like", 1)])
    );
}

#[tokio::test]
async fn what_is_rolled_back_counts_as_nothing() {
    let world = World::create().await;
    let [ben] = world.people().await;
    let event = hearted(&world, ben);
    let measured = MetricsCapture::start();

    let refused: Result<()> = world
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Err(StorageError::Corrupt { column: "none" })
        })
        .await;

    assert!(refused.is_err());
    assert_eq!(world.rows().await, 0);
    assert_eq!(told(&measured), counts([]));
}

#[tokio::test]
async fn what_is_tried_three_times_counts_once() {
    let world = World::create().await;
    let [ben] = world.people().await;
    let event = hearted(&world, ben);
    let attempts = AtomicU32::new(0);
    let measured = MetricsCapture::start();

    let done: Result<()> = world
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            match attempts.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Err(StorageError::Conflict("again".into())),
                _ => Ok(()),
            }
        })
        .await;

    done.unwrap();
    assert_eq!(
        measured
            .take_named(&["grateful_notifications_total", "grateful_transactions_retried_total"]),
        [
            ("grateful_notifications_total{outcome=started,type=like}".to_owned(), 1),
            ("grateful_transactions_retried_total".to_owned(), 2),
        ]
        .into()
    );
}

#[tokio::test]
async fn a_commit_that_fails_counts_as_nothing() {
    let world = World::create().await;
    let [ben] = world.people().await;
    let event = hearted(&world, ben);
    // Checked at the commit alone.
    world
        .database
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON notifications
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let measured = MetricsCapture::start();

    let refused: Result<()> = world
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Ok(())
        })
        .await;

    assert!(refused.is_err());
    assert_eq!(told(&measured), counts([]));
}

/// As an embedder does, around transactions that `Database` does not know.
#[tokio::test]
async fn a_transaction_of_ones_own_counts_when_it_is_said_to_have_succeeded() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let measured = MetricsCapture::start();

    for (person, outcome) in [(ben, Err("rolled back")), (caro, Ok(()))] {
        let done = record_on_commit(async {
            world.tell_ana(&[person], world.heart()).await;
            outcome
        });
        assert_eq!(done.await, outcome);
    }

    assert_eq!(told(&measured), counts([("converted", "like", 1)]));
}

fn hearted(world: &World, actor: UserId) -> Event {
    world.event(world.to_ana(actor, world.heart()))
}

fn told(measured: &MetricsCapture) -> BTreeMap<String, i64> {
    measured.take_named(&["grateful_notifications_total"])
}

fn counts<const N: usize>(counts: [(&str, &str, u32); N]) -> BTreeMap<String, i64> {
    let named = counts.map(|(outcome, kind, count)| {
        (format!("grateful_notifications_total{{outcome={outcome},type={kind}}}"), count.into())
    });
    named.into()
}
