//! The `location_cache` table through [`LocationCache`](grateful_storage::LocationCache).

use chrono::TimeDelta;
use grateful_domain::{Location, LocationQuery};
use grateful_storage::{Repositories, StorageError};
use grateful_test_database::{NOON, TestDatabase};
use serde_json::{Value, json};

const SECOND: TimeDelta = TimeDelta::seconds(1);

#[tokio::test]
async fn locations_are_found_as_they_were_stored() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let stored = [
        location(json!({"display_name": "Rain", "lat": -74.0, "lon": 10.91, "importance": 1e16,
            "place_id": i64::MAX, "address": {"city": "Räin \u{1f33b}", "state": null}})),
        location(
            json!({"display_name": "x", "lat": 0, "lon": 1e-7, "z": [1.0, "\u{7f}"], "a": {}}),
        ),
    ];

    conn.location_cache().put(&query("Rain"), 10, &stored, NOON).await.unwrap();
    conn.location_cache().put(&query("Nowhere"), 10, &[], NOON).await.unwrap();

    let mut find = async |words: &str| {
        conn.location_cache().find(&query(words), 10, NOON - SECOND).await.unwrap()
    };
    let found = find("rain").await.unwrap();
    let text = |locations: &[Location]| {
        let texts = locations.iter().map(|location| Value::Object(location.as_map().clone()));
        texts.map(|location| location.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(text(&found), text(&stored));
    assert_eq!(find("Nowhere").await, Some(vec![]));
    assert_eq!(find("Bray").await, None);
}

#[tokio::test]
async fn a_newer_result_replaces_an_older_one_of_the_same_search() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [old, new] = ["old", "new"].map(|name| [named(name)]);
    conn.location_cache().put(&query("Rain"), 3, &old, NOON).await.unwrap();
    conn.location_cache().put(&query("Rain"), 4, &old, NOON).await.unwrap();

    conn.location_cache().put(&query("RAIN"), 3, &new, NOON + SECOND).await.unwrap();

    let mut find = async |max_results, since| {
        conn.location_cache().find(&query("Rain"), max_results, since).await.unwrap()
    };
    assert_eq!(find(3, NOON).await.as_deref(), Some(&new[..]));
    assert_eq!(find(4, NOON - SECOND).await.as_deref(), Some(&old[..]));
    assert_eq!(find(3, NOON + SECOND).await, None);
    assert_eq!(find(4, NOON).await, None);
}

#[tokio::test]
async fn sweeping_deletes_old_results_and_those_beyond_the_maximum_in_steps() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    for (number, words) in (0..6).zip(["aa", "bb", "cc", "dd", "ee", "ff"]) {
        conn.location_cache().put(&query(words), 10, &[], NOON + SECOND * number).await.unwrap();
    }

    let mut sweep = async |before, max_rows, limit| {
        conn.location_cache().sweep(before, max_rows, limit).await.unwrap()
    };
    assert_eq!(sweep(NOON - SECOND, 6, 500).await, 0);
    assert_eq!(sweep(NOON, 6, 500).await, 1);
    assert_eq!(
        [sweep(NOON, 2, 2).await, sweep(NOON, 2, 2).await, sweep(NOON, 2, 2).await],
        [2, 1, 0]
    );

    let newest = conn.location_cache().find(&query("ff"), 10, NOON).await.unwrap();
    assert_eq!((newest, database.count("location_cache").await), (Some(vec![]), 2));
}

#[tokio::test]
async fn a_stored_value_that_is_no_list_of_locations_is_corrupt() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.location_cache().put(&query("Rain"), 10, &[named("Rain")], NOON).await.unwrap();

    for value in ["{}", "[1]"] {
        database.execute(&format!("UPDATE location_cache SET locations = '{value}'")).await;
        let found = conn.location_cache().find(&query("Rain"), 10, NOON - SECOND).await;
        assert!(matches!(found, Err(StorageError::Corrupt { .. })), "{found:?}");
    }
}

fn query(words: &str) -> LocationQuery {
    LocationQuery::parse(words).unwrap()
}

fn named(name: &str) -> Location {
    location(json!({"display_name": name, "lat": 48.69, "lon": 10.91}))
}

fn location(location: Value) -> Location {
    let Value::Object(location) = location else { panic!("not an object") };
    Location::parse(location).unwrap()
}
