//! Searches for locations, which all nodes together send to the geocoder.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::housekeeping::sweep;
use grateful_application::{
    App, Error, Geocoder, GeocoderError, GeocoderFuture, GeocoderPolicy, Result, locations,
};
use grateful_domain::{Location, LocationQuery};
use grateful_storage::Repositories;
use grateful_testkit::{TestApp, TestDatabase, assert_queries};
use serde_json::json;
use tokio::sync::Notify;

const NO_WAIT: GeocoderPolicy = GeocoderPolicy {
    min_interval: Duration::ZERO,
    max_wait: Duration::from_secs(5),
    max_age: TimeDelta::days(1),
};

const ONE_AN_HOUR: GeocoderPolicy =
    GeocoderPolicy { min_interval: Duration::from_hours(1), ..NO_WAIT };

#[tokio::test]
async fn locations_searched_on_one_node_cost_no_request_on_another() {
    let (test, [first, second]) = with_policy(NO_WAIT).await;

    let found = search(&first, "New York", 3).await.unwrap();
    for typed in ["New York", "new  york", " NEW YORK "] {
        assert_eq!(search(&second, typed, 3).await.unwrap(), found);
    }
    assert_eq!((found.len(), test.geocoder.requests()), (3, 1));
    search(&second, "New York", 4).await.unwrap();
    search(&second, "New Yor", 3).await.unwrap();

    assert_eq!(test.geocoder.requests(), 3);
}

#[tokio::test]
async fn locations_are_searched_again_after_a_day() {
    let (test, [first, second]) = with_policy(NO_WAIT).await;
    search(&first, "Rain", 3).await.unwrap();

    test.clock.advance(TimeDelta::days(1) - TimeDelta::microseconds(1));
    search(&second, "Rain", 3).await.unwrap();
    assert_eq!(test.geocoder.requests(), 1);
    test.clock.advance(TimeDelta::microseconds(1));
    search(&second, "Rain", 3).await.unwrap();

    assert_eq!(test.geocoder.requests(), 2);
    search(&first, "Rain", 3).await.unwrap();
    assert_eq!(test.geocoder.requests(), 2);
}

#[tokio::test]
async fn locations_are_swept_when_they_are_too_old() {
    let (test, [node, _]) = with_policy(NO_WAIT).await;
    search(&node, "Rain", 3).await.unwrap();
    test.clock.advance(TimeDelta::hours(12));
    search(&node, "Bray", 3).await.unwrap();

    let early = sweep(&node).await.unwrap().locations;
    test.clock.advance(TimeDelta::hours(12));
    let swept = sweep(&node).await.unwrap().locations;

    assert_eq!((early, swept, test.database.count("location_cache").await), (0, 1, 1));
}

#[tokio::test]
async fn concurrent_searches_for_the_same_share_one_request() {
    let (test, [node, _]) = with_policy(ONE_AN_HOUR).await;

    let found = join_all([(); 20].map(|()| search(&node, "Rain", 3))).await;

    for locations in found {
        assert_eq!(locations.unwrap().len(), 3);
    }
    assert_eq!(test.geocoder.requests(), 1);
}

#[tokio::test]
async fn a_search_that_would_wait_too_long_fails_at_once_on_every_node() {
    let (test, [first, second]) = with_policy(ONE_AN_HOUR).await;
    search(&first, "Rain", 3).await.unwrap();

    for node in [&first, &second] {
        assert_fails_with(search(node, "Bray", 3).await, "nominatim_timeout");
        // Stored locations need no request.
        search(node, "Rain", 3).await.unwrap();
    }

    assert_eq!(test.geocoder.requests(), 1);
}

#[tokio::test]
async fn a_search_that_has_waited_uses_what_another_node_has_found_meanwhile() {
    let policy = GeocoderPolicy { min_interval: Duration::from_secs(1), ..NO_WAIT };
    let (test, [first, second]) = with_policy(policy).await;
    search(&first, "Bray", 3).await.unwrap();
    let slot = next_slot(&test.database).await;

    let waiting = tokio::spawn(async move { search(&second, "Rain", 3).await });
    while next_slot(&test.database).await == slot {}
    let found = [location("Rain am Lech")];
    let mut conn = test.database.connect().await;
    conn.location_cache().put(&query("Rain"), 3, &found, test.app.clock.now()).await.unwrap();

    assert_eq!(waiting.await.unwrap().unwrap(), found);
    assert_eq!(test.geocoder.requests(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_by_concurrent_searches_and_not_stored() {
    let (test, [node, _]) = with_policy(NO_WAIT).await;
    test.geocoder.fail_with(|| GeocoderError::Unreachable("no route".into()));

    for result in join_all([(); 5].map(|()| search(&node, "Rain", 3))).await {
        assert_fails_with(result, "nominatim_request_error");
    }
    let concurrent = test.geocoder.requests();
    assert_fails_with(search(&node, "Rain", 3).await, "nominatim_request_error");

    assert!(concurrent < 5, "{concurrent}");
    assert_eq!(test.geocoder.requests(), concurrent + 1);
    assert_eq!(test.database.count("location_cache").await, 0);
}

#[tokio::test]
async fn a_search_needs_one_statement_if_it_is_stored_and_three_if_not() {
    let (_test, [node, _]) = with_policy(NO_WAIT).await;

    assert_queries!(3, search(&node, "Rain", 3));
    assert_queries!(1, search(&node, "Rain", 3));
}

#[tokio::test]
async fn a_geocoder_without_a_policy_is_asked_every_time() {
    let test = TestApp::create().await;

    for _ in 0..2 {
        assert_queries!(0, search(&test.app, "Rain", 3));
    }

    assert_eq!(test.geocoder.requests(), 2);
}

#[tokio::test]
async fn no_connection_is_held_while_the_geocoder_is_asked() {
    let database = TestDatabase::create().await;
    let pool = database.pool_with(|config| config.with_max_connections(1).with_readers(0));
    let test = TestApp::with_pool(database, pool);
    let geocoder = Arc::new(SlowGeocoder::default());
    let app = App { geocoder: geocoder.clone(), ..test.app };

    let searching = tokio::spawn({
        let app = app.clone();
        async move { search(&app, "Rain", 3).await }
    });
    geocoder.asked.notified().await;

    assert!(app.db.acquire().await.is_ok(), "the one connection of the pool is free");
    let in_transaction =
        "pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    assert_eq!(test.database.count(in_transaction).await, 0);
    geocoder.answer.notify_one();
    assert_eq!(searching.await.unwrap().unwrap(), [location("Rain")]);
}

/// Answers each request when the test says so.
#[derive(Default)]
struct SlowGeocoder {
    asked: Notify,
    answer: Notify,
}

impl Geocoder for SlowGeocoder {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, _: u8) -> GeocoderFuture<'a> {
        Box::pin(async {
            self.asked.notify_one();
            self.answer.notified().await;
            Ok(vec![location(query.as_str())])
        })
    }

    fn policy(&self) -> Option<GeocoderPolicy> {
        Some(NO_WAIT)
    }
}

/// Two nodes on one database, whose geocoder has this policy.
async fn with_policy(policy: GeocoderPolicy) -> (TestApp, [App; 2]) {
    let test = TestApp::create().await;
    test.geocoder.set_policy(policy);
    let node = || App { location_lookups: Arc::default(), ..test.app.clone() };
    let nodes = [node(), node()];
    (test, nodes)
}

async fn search(app: &App, words: &str, limit: u8) -> Result<Vec<Location>> {
    locations::search(app, &query(words), limit).await
}

fn query(words: &str) -> LocationQuery {
    LocationQuery::parse(words).unwrap()
}

fn location(name: &str) -> Location {
    let location = json!({"display_name": name, "lat": 48.69, "lon": 10.91});
    Location::parse(location.as_object().unwrap().clone()).unwrap()
}

async fn next_slot(database: &TestDatabase) -> Vec<String> {
    database.lines("SELECT next_slot::text AS line FROM geocoder_throttle").await
}

#[track_caller]
fn assert_fails_with(result: Result<Vec<Location>>, expected: &str) {
    match result {
        Err(Error::RuleViolation { constraint, .. }) => assert_eq!(constraint, expected),
        other => panic!("{other:?}"),
    }
}
