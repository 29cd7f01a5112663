//! Random searches among random users, compared with a direct implementation of docs/rules.md#search.

use std::collections::BTreeMap;

use grateful_domain::{DisplayName, UserSearchQuery, Username};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

use super::scenario::Scenario;
use crate::support::follows::insert_follow;
use crate::support::sql::lines;

/// A username and a display name, which is empty for none.
type Names = (String, String);

/// Letters of several scripts in both cases, including some whose length changes with their case, wildcards, and other
/// characters that trigrams handle specially.
const CHARACTERS: &str = r"[aAbBnN_.%\\' *(\[éÉσςΣßẞİıиИ東🙏]";

#[tokio::test]
async fn every_search_finds_the_same_users_in_the_same_order_as_the_reference() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..3 {
        let users = generate_users(&mut runner);
        let scenario = Scenario::create().await;
        let rows: Vec<_> = users.iter().map(|(name, shown)| (&**name, &**shown)).collect();
        scenario.add(&rows).await;
        let hidden: Vec<&str> = users.keys().step_by(7).map(String::as_str).collect();
        for (number, name) in hidden.iter().enumerate() {
            let other = scenario.id(name).await;
            let (from, to) =
                if number % 2 == 0 { (scenario.viewer, other) } else { (other, scenario.viewer) };
            insert_follow(&scenario.database, from, to, "blocked").await;
        }

        for _ in 0..250 {
            let term = generate_term(&mut runner, &users);
            let max = draw(&mut runner, 1..=50_i64);
            let visible = users.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
            let expected = reference(visible, &term, max);

            let found = scenario.find_limited(&term, max).await;

            assert_eq!(found, expected, "{term:?}, limit {max}, of {users:#?}");
        }
    }
}

/// PostgreSQL and Rust may support different versions of Unicode, so newer characters are left out.
#[tokio::test]
async fn postgresql_folds_case_like_the_reference() {
    let scenario = Scenario::create().await;
    let letters: String = ('\u{a0}'..'\u{590}')
        .chain('\u{1e00}'..'\u{2000}')
        .filter(|character| character.is_alphabetic())
        .collect();

    let folded = lines(
        &mut scenario.database.connect().await,
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

/// Searches by comparing every user.
fn reference<'a>(
    users: impl Iterator<Item = (&'a String, &'a String)>,
    term: &str,
    max: i64,
) -> Vec<String> {
    let Some(query) = UserSearchQuery::parse(term) else { return Vec::new() };
    let text = fold(query.as_str());
    let mut found: Vec<(u8, String, &String)> = users
        .filter_map(|(username, display_name)| {
            let name = username.to_ascii_lowercase();
            let shown = fold(display_name);
            let tier = if name == text {
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
            Some((tier, name, username))
        })
        .collect();
    found.sort_unstable();
    found.truncate(usize::try_from(max).unwrap());
    found.into_iter().map(|(.., username)| username.clone()).collect()
}

fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// Generates about two hundred users whose names have much in common.
fn generate_users(runner: &mut TestRunner) -> BTreeMap<String, String> {
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

/// A part of a user's name in any case, or random text.
fn generate_term(runner: &mut TestRunner, users: &BTreeMap<String, String>) -> String {
    let names: Vec<&String> = users
        .iter()
        .flat_map(|(name, shown)| [name, shown])
        .filter(|name| !name.is_empty())
        .collect();
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

/// Random text with a number of characters in this range, such as `1,9`.
fn any_text(lengths: &str) -> impl Strategy<Value = String> {
    string_regex(&format!("{CHARACTERS}{{{lengths}}}")).unwrap()
}
