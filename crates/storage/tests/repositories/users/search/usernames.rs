//! Lookup of users by their whole usernames.

use grateful_domain::{UserId, Username};
use grateful_storage::Repositories;

use super::scenario::Scenario;
use crate::support::follows::insert_follow;

#[tokio::test]
async fn users_are_found_by_username_in_any_case_with_their_own_spelling() {
    let scenario =
        Scenario::with_users(&[("Ana", ""), ("ben_", ""), ("benx", ""), ("zoe", "caro")]).await;

    let found = find(&scenario, &["ANA", "ben_", "unknown", "caro", "ana"]).await;

    let expected = [("Ana", scenario.id("ana").await), ("ben_", scenario.id("ben_").await)];
    assert_eq!(found, expected.map(|(name, id)| (name.to_owned(), id)));
}

#[tokio::test]
async fn the_viewer_is_found_and_users_across_a_block_are_not() {
    let scenario = Scenario::with_users(&[("ana", ""), ("ben", ""), ("caro", "")]).await;
    insert_follow(&scenario.database, scenario.viewer, scenario.id("ana").await, "blocked").await;
    insert_follow(&scenario.database, scenario.id("ben").await, scenario.viewer, "blocked").await;
    insert_follow(&scenario.database, scenario.viewer, scenario.id("caro").await, "pending").await;

    let found = find(&scenario, &["ana", "ben", "caro", "zzz"]).await;

    let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["caro", "zzz"]);
}

#[tokio::test]
async fn no_usernames_find_no_users() {
    let scenario = Scenario::with_users(&[("ana", "")]).await;

    assert_eq!(find(&scenario, &[]).await, []);
}

/// Sorted by username.
async fn find(scenario: &Scenario, names: &[&str]) -> Vec<(String, UserId)> {
    let names: Vec<_> = names.iter().map(|name| Username::parse(name).unwrap()).collect();
    let mut conn = scenario.database.connect().await;
    let found = conn.users().find_by_usernames(scenario.viewer, &names).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|user| (user.username.into(), user.id)).collect();
    found.sort_unstable();
    found
}
