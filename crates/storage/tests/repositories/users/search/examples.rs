//! What is found, and in which order, by example.

use grateful_domain::{Bio, DisplayName, UserSearchQuery};
use grateful_storage::{Repositories, Users};

use super::scenario::World;
use crate::support::follows::insert_follow;

#[tokio::test]
async fn who_is_called_so_comes_first_then_whose_name_begins_so_then_who_has_it_inside() {
    let world = World::of(&[
        ("bo_ann", ""),
        ("anna", ""),
        ("carol", "Ann"),
        ("ann", ""),
        ("able", "Joanne"),
        ("zed", "Anneliese"),
        ("ben", "Ben"),
    ])
    .await;

    assert_eq!(world.find("ann").await, ["ann", "carol", "anna", "zed", "able", "bo_ann"]);
}

#[tokio::test]
async fn equally_good_matches_come_by_username_whatever_its_case() {
    let world = World::of(&[
        ("Cara", "Ana"),
        ("bea", "ana"),
        ("Anabel", ""),
        ("dora", "Anabel"),
        ("anab", ""),
        ("Abe", "Diana"),
        ("yana", ""),
    ])
    .await;

    let found = world.find("ana").await;

    assert_eq!(found, ["bea", "Cara", "anab", "Anabel", "dora", "Abe", "yana"]);
    assert_eq!(world.find_up_to("ana", 3).await, found[..3]);
    assert_eq!(world.find_up_to("ana", 1).await, found[..1]);
}

/// Only one person has it, whoever else is shown under that name.
#[tokio::test]
async fn whoever_has_the_very_username_comes_before_all_who_are_shown_so() {
    let world = World::of(&[("ana", ""), ("aaa", "Ana"), ("aab", "ANA")]).await;

    assert_eq!(world.find_up_to("ana", 1).await, ["ana"]);
    assert_eq!(world.find("ana").await, ["ana", "aaa", "aab"]);
}

#[tokio::test]
async fn somebody_who_matches_in_many_ways_is_found_once_by_the_best_of_them() {
    let world = World::of(&[("ana", "Ana Ana"), ("anab", "Ana"), ("bana", "Banana")]).await;

    assert_eq!(world.find("ana").await, ["ana", "anab", "bana"]);
}

#[tokio::test]
async fn one_or_two_characters_are_looked_for_where_names_begin() {
    let world = World::of(&[
        ("anna", ""),
        ("joan", "An"),
        ("susan", ""),
        ("yuki", "東京 花"),
        ("ito", "花"),
    ])
    .await;

    assert_eq!(world.find("an").await, ["joan", "anna"]);
    assert_eq!(world.find("A").await, ["anna", "joan"]);
    assert_eq!(world.find("東京").await, ["yuki"]);
    assert_eq!(world.find("花").await, ["ito"]);
    assert_eq!(world.find("京 花").await, ["yuki"]);
}

#[tokio::test]
async fn the_signs_of_patterns_stand_for_themselves() {
    let world = World::of(&[
        ("a_b", ""),
        ("axb", ""),
        ("percent", "100% Ana"),
        ("back", r"C:\temp"),
        ("brackets", "[^a](.*)+"),
        ("quote", "O'Neil $1 {a,b}"),
    ])
    .await;

    assert_eq!(world.find("a_b").await, ["a_b"]);
    assert_eq!(world.find("_").await, [""; 0]);
    assert_eq!(world.find("%").await, [""; 0]);
    assert_eq!(world.find("%%%").await, [""; 0]);
    assert_eq!(world.find("0% ").await, [""; 0]);
    assert_eq!(world.find("0% a").await, ["percent"]);
    assert_eq!(world.find(r":\t").await, ["back"]);
    assert_eq!(world.find(r"\\\").await, [""; 0]);
    assert_eq!(world.find("(.*").await, ["brackets"]);
    assert_eq!(world.find("...").await, [""; 0]);
    assert_eq!(world.find("'ne").await, ["quote"]);
    assert_eq!(world.find("{a,").await, ["quote"]);
}

#[tokio::test]
async fn case_does_not_count_in_any_script() {
    let world = World::of(&[
        ("anne", "Änne"),
        ("ivan", "Иван Петров"),
        ("odysseus", "ΟΔΥΣΣΕΥΣ"),
        ("ilknur", "İlknur"),
        ("jose", "José"),
    ])
    .await;

    for typed in ["ÄNNE", "änne", "A\u{308}NNE", "nNe"] {
        assert_eq!(world.find(typed).await, ["anne"], "{typed}");
    }
    for typed in ["ИВАН", "иван", "пЕТ", "ва"] {
        let expected: &[&str] = if typed == "ва" { &[] } else { &["ivan"] };
        assert_eq!(world.find(typed).await, expected, "{typed}");
    }
    // However a sigma is written where a word ends, or where a query does.
    for typed in ["οδυσ", "ΟΔΥΣ", "οδυς", "Οδυσσευς", "ΣΕΥΣ", "σευσ"] {
        assert_eq!(world.find(typed).await, ["odysseus"], "{typed}");
    }
    assert_eq!(world.find("İLKNUR").await, ["ilknur"]);
    assert_eq!(world.find("JOSÉ").await, ["jose"]);
    assert_eq!(world.find("Josef").await, [""; 0]);
}

#[tokio::test]
async fn an_at_in_front_does_not_count_and_one_inside_does() {
    let world = World::of(&[("ana", ""), ("home", "Me @ana")]).await;

    assert_eq!(world.find(" @Ana ").await, ["ana", "home"]);
    assert_eq!(world.find("e @a").await, ["home"]);
}

#[tokio::test]
async fn neither_oneself_nor_anybody_behind_a_block_is_found_and_others_take_their_places() {
    let names = ["ana1", "ana2", "ana3", "ana4", "ana5", "jana6", "jana7"].map(|name| (name, ""));
    let world = World::of(&names).await;
    let ana3 = world.id("ana3").await;
    insert_follow(&world.database, ana3, world.id("ana1").await, "blocked").await;
    insert_follow(&world.database, world.id("jana6").await, ana3, "blocked").await;
    insert_follow(&world.database, ana3, world.id("ana2").await, "active").await;
    insert_follow(&world.database, world.id("ana4").await, ana3, "pending").await;

    let world = World { viewer: ana3, ..world };

    assert_eq!(world.find("ana").await, ["ana2", "ana4", "ana5", "jana7"]);
    assert_eq!(world.find_up_to("ana", 2).await, ["ana2", "ana4"]);
    for hidden in ["ana1", "jana6", "ana3"] {
        assert_eq!(world.find(hidden).await, [""; 0]);
    }
}

#[tokio::test]
async fn people_are_found_with_what_lists_show_of_them() {
    let world = World::of(&[("ana", "Ana Lima")]).await;
    let told = "UPDATE users SET bio = 'Hi', profile_image_url = '/a.jpg' WHERE username = 'ana'";
    world.database.execute(told).await;

    let query = UserSearchQuery::parse("lima").unwrap();
    let mut conn = world.database.connect().await;
    let found = conn.users().search(world.viewer, &query, 10).await.unwrap();

    let [person] = &found[..] else { panic!("{found:?}") };
    assert_eq!(person.author.id, world.id("ana").await);
    assert_eq!(person.author.display_name.as_ref().map(DisplayName::as_str), Some("Ana Lima"));
    assert_eq!(person.author.profile_image_url.as_deref(), Some("/a.jpg"));
    assert_eq!(person.bio.as_ref().map(Bio::as_str), Some("Hi"));
}

#[tokio::test]
async fn who_changes_a_name_is_found_by_the_new_one_alone() {
    let world = World::of(&[("ana", "Ana Lima"), ("ben", "")]).await;

    world.database.execute("UPDATE users SET display_name = 'Zoe' WHERE username = 'ana'").await;
    world.database.execute("UPDATE users SET username = 'carlos' WHERE username = 'ben'").await;

    assert_eq!(world.find("lima").await, [""; 0]);
    assert_eq!(world.find("zoe").await, ["ana"]);
    assert_eq!(world.find("ben").await, [""; 0]);
    assert_eq!(world.find("arlo").await, ["carlos"]);
}

/// Those with all runs of three, but in another order, stand for as much as any other candidate.
#[tokio::test]
async fn the_pieces_of_what_is_looked_for_are_not_enough() {
    let world =
        World::of(&[("abc.bcd", ""), ("xabcdx", ""), ("bcde", "Abc"), ("cde", "ABCD")]).await;

    assert_eq!(world.find("abcd").await, ["cde", "xabcdx"]);
    // Nor is what begins in one name and goes on in the other.
    world.add(&[("left_ri", "ght")]).await;
    assert_eq!(world.find("right").await, [""; 0]);
}

/// Where more people match than are looked at, the list is full all the same.
#[tokio::test]
async fn of_more_than_are_looked_at_enough_are_found() {
    let world = World::create().await;
    world
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password, display_name)
             SELECT n || '@example.org', 'user' || n, 'x', (ARRAY['Same', 'Samesame', 'Unsame'])[n % 3 + 1]
             FROM generate_series(10000, 10000 + 6 * {}) AS n",
            Users::MAX_CANDIDATES
        ))
        .await;

    for typed in ["same", "sam", "s", "user", "ser1", "nsam", "name"] {
        let found = world.find_up_to(typed, 50).await;
        let expected = if typed == "name" { 0 } else { 50 };
        assert_eq!(found.len(), expected, "{typed}");
    }
    // Those who are called just so come by username, however many they are.
    assert_eq!(world.find_up_to("same", 2).await, ["user10002", "user10005"]);
}
