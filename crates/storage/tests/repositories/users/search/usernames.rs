//! People by their whole usernames.

use grateful_domain::{UserId, Username};
use grateful_storage::Repositories;

use super::scenario::World;
use crate::support::follows::insert_follow;

#[tokio::test]
async fn those_who_have_these_names_are_found_as_they_write_them() {
    let world = World::of(&[("Ana", ""), ("ben_", ""), ("benx", ""), ("zoe", "caro")]).await;

    let found = find(&world, &["ANA", "ben_", "nobody", "caro", "ana"]).await;

    let expected = [("Ana", world.id("ana").await), ("ben_", world.id("ben_").await)];
    assert_eq!(found, expected.map(|(name, id)| (name.to_owned(), id)));
}

#[tokio::test]
async fn oneself_is_there_and_nobody_across_a_block() {
    let world = World::of(&[("ana", ""), ("ben", ""), ("caro", "")]).await;
    insert_follow(&world.database, world.viewer, world.id("ana").await, "blocked").await;
    insert_follow(&world.database, world.id("ben").await, world.viewer, "blocked").await;
    insert_follow(&world.database, world.viewer, world.id("caro").await, "pending").await;

    let found = find(&world, &["ana", "ben", "caro", "zzz"]).await;

    let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["caro", "zzz"]);
}

#[tokio::test]
async fn of_no_names_there_is_nobody() {
    let world = World::of(&[("ana", "")]).await;

    assert_eq!(find(&world, &[]).await, []);
}

/// By name.
async fn find(world: &World, names: &[&str]) -> Vec<(String, UserId)> {
    let names: Vec<_> = names.iter().map(|name| Username::parse(name).unwrap()).collect();
    let mut conn = world.database.connect().await;
    let found = conn.users().find_by_usernames(world.viewer, &names).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(id, name)| (name.into(), id)).collect();
    found.sort_unstable();
    found
}
