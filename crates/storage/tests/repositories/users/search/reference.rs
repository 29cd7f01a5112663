//! Any search in any world, against the rules read word by word.

use std::collections::BTreeMap;

use grateful_domain::{DisplayName, UserSearchQuery, Username};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

use super::scenario::World;
use crate::support::follows::insert_follow;
use crate::support::sql::lines;

/// A username and a display name, which is empty for none.
type Names = (String, String);

/// Letters of some scripts in both cases, some that change their length with it, signs of patterns, and what else is
/// hard to cut into threes.
const CHARACTERS: &str = r"[aAbBnN_.%\\' *(\[éÉσςΣßẞİıиИ東🙏]";

#[tokio::test]
async fn every_search_finds_whom_the_rules_find_in_their_order() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..3 {
        let people = people(&mut runner);
        let world = World::create().await;
        let rows: Vec<_> = people.iter().map(|(name, shown)| (&**name, &**shown)).collect();
        world.add(&rows).await;
        let hidden: Vec<&str> = people.keys().step_by(7).map(String::as_str).collect();
        for (number, name) in hidden.iter().enumerate() {
            let other = world.id(name).await;
            let (from, to) =
                if number % 2 == 0 { (world.viewer, other) } else { (other, world.viewer) };
            insert_follow(&world.database, from, to, "blocked").await;
        }

        for _ in 0..250 {
            let typed = typed(&mut runner, &people);
            let most = draw(&mut runner, 1..=50_i64);
            let met = people.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
            let expected = reference(met, &typed, most);

            let found = world.find_up_to(&typed, most).await;

            assert_eq!(found, expected, "{typed:?}, at most {most}, of {people:#?}");
        }
    }
}

/// Of characters that came to Unicode lately, the one may know what the other does not.
#[tokio::test]
async fn case_is_folded_as_the_reference_does_it() {
    let world = World::create().await;
    let letters: String =
        ('\u{a0}'..'\u{590}').chain('\u{1e00}'..'\u{2000}').filter(|c| c.is_alphabetic()).collect();

    let folded = lines(
        &mut world.database.connect().await,
        &format!(
            r#"SELECT translate(lower('{letters}' COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C" AS line"#
        ),
    )
    .await;

    let differing: Vec<char> = letters
        .chars()
        .zip(folded[0].replace("i\u{307}", "\u{fffd}").chars())
        .filter(|(c, lower)| {
            let expected = fold(&c.to_string()).replace("i\u{307}", "\u{fffd}");
            expected != lower.to_string()
        })
        .map(|(c, _)| c)
        .collect();
    assert_eq!(differing, ['x'; 0]);
}

/// Everybody, one by one.
fn reference<'a>(
    people: impl Iterator<Item = (&'a String, &'a String)>,
    typed: &str,
    most: i64,
) -> Vec<String> {
    let Some(query) = UserSearchQuery::parse(typed) else { return Vec::new() };
    let text = fold(query.as_str());
    let mut found: Vec<(u8, String, &String)> = people
        .filter_map(|(username, display_name)| {
            let name = username.to_ascii_lowercase();
            let shown = fold(display_name);
            let place = if name == text {
                0
            } else if shown == text {
                1
            } else if name.starts_with(&text) || shown.starts_with(&text) {
                2
            } else if 3 <= query.as_str().chars().count()
                && (name.contains(&text) || shown.contains(&text))
            {
                3
            } else {
                return None;
            };
            Some((place, name, username))
        })
        .collect();
    found.sort_unstable();
    found.truncate(usize::try_from(most).unwrap());
    found.into_iter().map(|(.., username)| username.clone()).collect()
}

fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// Some two hundred people, whose names have much in common.
fn people(runner: &mut TestRunner) -> BTreeMap<String, String> {
    let username = "[aAbBnN][aAbBnN_.-]{2,7}".prop_filter("a name", |name| {
        Username::parse(name).is_ok_and(|name| name.as_str() != "zzz")
    });
    let display_name = prop_oneof![
        1 => Just(String::new()),
        4 => any_text("1,9")
            .prop_filter_map("a name", |raw| DisplayName::parse(&raw).ok().map(String::from)),
    ];
    let names: Vec<Names> = draw(runner, proptest::collection::vec((username, display_name), 200));
    let by_key: BTreeMap<String, Names> =
        names.into_iter().map(|(name, shown)| (name.to_ascii_lowercase(), (name, shown))).collect();
    by_key.into_values().collect()
}

/// A piece of somebody's name in any case, or anything.
fn typed(runner: &mut TestRunner, people: &BTreeMap<String, String>) -> String {
    let names: Vec<&String> =
        people.iter().flat_map(|(name, shown)| [name, shown]).filter(|it| !it.is_empty()).collect();
    let name: Vec<char> = names[draw(runner, 0..names.len())].chars().collect();
    let from = draw(runner, 0..name.len());
    let to = draw(runner, from + 1..=name.len());
    let piece: String = name[from..to].iter().collect();
    match draw(runner, 0..8) {
        0..3 => piece,
        3 => piece.to_uppercase(),
        4 => format!(" @{} ", piece.to_lowercase()),
        5 => name.into_iter().collect(),
        _ => draw(runner, any_text("1,5")),
    }
}

fn draw<T>(runner: &mut TestRunner, values: impl Strategy<Value = T>) -> T {
    values.new_tree(runner).unwrap().current()
}

/// So many characters of any kind.
fn any_text(lengths: &str) -> impl Strategy<Value = String> {
    string_regex(&format!("{CHARACTERS}{{{lengths}}}")).unwrap()
}
