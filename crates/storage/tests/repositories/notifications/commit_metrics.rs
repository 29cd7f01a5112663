//! Metrics of recorded events, which count once the transaction commits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel_async::SimpleAsyncConnection;
use grateful_domain::UserId;
use grateful_domain::notification::{Act, Event};
use grateful_storage::{Repositories, Result, StorageError, record_on_commit};
use grateful_test_database::{MetricsCapture, a_post, block};

use super::scenario::Scenario;

#[tokio::test]
async fn events_are_counted_by_outcome_and_type() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan, eve] = scenario.create_users().await;
    block(&scenario.database, scenario.ana, eve).await;
    let metrics = MetricsCapture::start();

    // Starts a single notification, converts it to a batch, and adds a third child.
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    scenario.notify_ana(&[dan], scenario.reaction()).await;
    assert_eq!(
        take_counts(&metrics),
        expected_counts([
            ("converted", "like", 1),
            ("joined", "emoji_reaction", 1),
            ("started", "like", 1),
        ])
    );

    scenario.withdraw(&[scenario.cause_for_ana(caro, scenario.heart())]).await;
    assert_eq!(take_counts(&metrics), expected_counts([]));

    // Restores a notification, and skips a recorded event and one across a block.
    scenario.notify_ana(&[caro, caro, eve], scenario.heart()).await;
    assert_eq!(
        take_counts(&metrics),
        expected_counts([("restored", "like", 1), ("skipped", "like", 2)])
    );
}

#[tokio::test]
async fn events_held_back_by_the_hourly_limit_are_counted_as_held_back() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let mut posts = Vec::new();
    for _ in 0..7 {
        posts.push(a_post().by(scenario.ana).insert_into(&scenario.database).await.id);
    }
    let metrics = MetricsCapture::start();

    for post in &posts {
        scenario.record(&[scenario.cause_for_ana(ben, Act::Heart { post: *post })]).await;
    }
    scenario.record(&[scenario.cause_for_ana(caro, Act::Heart { post: posts[0] })]).await;

    assert_eq!(
        take_counts(&metrics),
        expected_counts([
            ("converted", "like", 1),
            ("held_back", "like", 2),
            ("started", "like", 5)
        ])
    );
}

#[tokio::test]
async fn several_events_of_one_call_are_each_counted_once() {
    let mut scenario = Scenario::create().await;
    let [ben, caro, dan] = scenario.create_users().await;
    let causes = [ben, caro, dan].map(|actor| scenario.cause_for_ana(actor, scenario.heart()));
    let metrics = MetricsCapture::start();

    scenario.record(&causes).await;

    assert_eq!(
        take_counts(&metrics),
        expected_counts([("converted", "like", 1), ("joined", "like", 1), ("started", "like", 1)])
    );
}

#[tokio::test]
async fn events_of_a_rolled_back_transaction_are_not_counted() {
    let scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let event = heart_event(&scenario, ben);
    let metrics = MetricsCapture::start();

    let result: Result<()> = scenario
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Err(StorageError::Corrupt { column: "none" })
        })
        .await;

    assert!(result.is_err());
    assert_eq!(scenario.count_notifications().await, 0);
    assert_eq!(take_counts(&metrics), expected_counts([]));
}

#[tokio::test]
async fn events_of_a_retried_transaction_count_once() {
    let scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let event = heart_event(&scenario, ben);
    let attempts = AtomicU32::new(0);
    let metrics = MetricsCapture::start();

    let result: Result<()> = scenario
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            match attempts.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Ok(tx.batch_execute(CONFLICT).await?),
                _ => Ok(()),
            }
        })
        .await;

    result.unwrap();
    assert_eq!(
        metrics
            .take_named(&["grateful_notifications_total", "grateful_transactions_retried_total"]),
        [
            ("grateful_notifications_total{outcome=started,type=like}".to_owned(), 1),
            ("grateful_transactions_retried_total".to_owned(), 2),
        ]
        .into()
    );
}

#[tokio::test]
async fn events_are_not_counted_if_the_commit_fails() {
    let scenario = Scenario::create().await;
    let [ben] = scenario.create_users().await;
    let event = heart_event(&scenario, ben);
    // The trigger fires at the commit.
    scenario
        .database
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON notifications
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let metrics = MetricsCapture::start();

    let result: Result<()> = scenario
        .database
        .pool
        .transaction(async |tx| {
            tx.notifications().record(std::slice::from_ref(&event)).await?;
            Ok(())
        })
        .await;

    assert!(result.is_err());
    assert_eq!(take_counts(&metrics), expected_counts([]));
}

/// For embedders with transactions that `Database` does not manage.
#[tokio::test]
async fn events_of_an_external_transaction_count_only_on_success() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let metrics = MetricsCapture::start();

    for (actor, outcome) in [(ben, Err("rolled back")), (caro, Ok(()))] {
        let recorded = record_on_commit(async {
            scenario.notify_ana(&[actor], scenario.heart()).await;
            outcome
        });
        assert_eq!(recorded.await, outcome);
    }

    assert_eq!(take_counts(&metrics), expected_counts([("converted", "like", 1)]));
}

fn heart_event(scenario: &Scenario, actor: UserId) -> Event {
    scenario.event(scenario.cause_for_ana(actor, scenario.heart()))
}

fn take_counts(metrics: &MetricsCapture) -> BTreeMap<String, i64> {
    metrics.take_named(&["grateful_notifications_total"])
}

fn expected_counts<const N: usize>(counts: [(&str, &str, u32); N]) -> BTreeMap<String, i64> {
    let named = counts.map(|(outcome, kind, count)| {
        (format!("grateful_notifications_total{{outcome={outcome},type={kind}}}"), count.into())
    });
    named.into()
}

/// Fails as a statement that lost against another transaction.
const CONFLICT: &str = "DO $$ BEGIN RAISE serialization_failure; END $$";
