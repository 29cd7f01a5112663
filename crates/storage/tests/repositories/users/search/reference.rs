//! Random searches among random users, compared with a direct implementation of docs/rules.md#search.

use std::collections::BTreeMap;

use grateful_domain::{DisplayName, UserSearchQuery, Username};
use grateful_test_database::TestDatabase;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::scenario::Scenario;
use crate::support::follows::insert_follow;
use crate::support::sql::lines;

/// A username and a display name, which is empty for none.
type Names = (String, String);

/// Letters of several scripts in both cases and widths, with and without accents, including some whose length changes with
/// their case, marks, characters that are ignored, wildcards, and other characters that trigrams handle specially.
const CHARACTERS: &str =
    r"[aAbBnN_.%\\' *(\[éÉσςΣßẞİıиИйが東🙏ﬁＡŁæ\u{301}\u{345}\u{3099}\u{200b}\u{fe0f}\u{ad}]";

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

/// Compares all characters of Unicode 13, which every supported PostgreSQL knows with its ICU.
#[tokio::test]
async fn postgresql_folds_every_character_like_the_reference() {
    let database = TestDatabase::create().await;
    let is_known = Regex::new(r"^[\p{Age=13.0}--\p{C}]$|^\p{Cf}$").unwrap();
    let mut buffer = [0; 4];
    let known: Vec<char> = (' '..=char::MAX)
        .filter(|character| is_known.is_match(character.encode_utf8(&mut buffer)))
        .collect();
    assert!(100_000 < known.len(), "{}", known.len());
    let codes: Vec<String> =
        known.iter().map(|character| u32::from(*character).to_string()).collect();
    database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password, display_name)
             SELECT code || '@example.org', 'user' || code, 'x', chr(code)
             FROM unnest(ARRAY[{}]) AS code",
            codes.join(", ")
        ))
        .await;

    let folded = lines(
        &mut database.connect().await,
        "SELECT search_name AS line FROM users ORDER BY substr(username, 5)::integer",
    )
    .await;

    let differing: Vec<_> = known
        .iter()
        .zip(&folded)
        .filter(|(character, folded)| fold(&character.to_string()) != **folded)
        .collect();
    assert_eq!(folded.len(), known.len());
    assert_eq!(differing, []);
}

#[test]
fn folding_twice_changes_nothing_more() {
    for character in (' '..=char::MAX).filter(|character| !character.is_control()) {
        let folded = fold(&character.to_string());
        assert_eq!(fold(&folded), folded, "{character:?}");
        let is_visible = DisplayName::parse(&character.to_string()).is_ok();
        assert!(!is_visible || !folded.is_empty(), "{character:?}");
    }
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
            } else if 3 <= text.chars().count() && (name.contains(&text) || shown.contains(&text)) {
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

/// The form in which names are compared (docs/rules.md#search).
fn fold(text: &str) -> String {
    let bare: String = text.nfkd().filter(|character| !is_accent(*character)).collect();
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    let folded: String = lower(&lower(&bare).to_uppercase())
        .chars()
        .flat_map(|character| match character {
            'ς' => vec!['σ'],
            'ø' => vec!['o'],
            'ł' => vec!['l'],
            'đ' => vec!['d'],
            'ħ' => vec!['h'],
            'ŧ' => vec!['t'],
            'æ' => vec!['a', 'e'],
            'œ' => vec!['o', 'e'],
            other => vec![other],
        })
        .collect();
    folded.nfc().take(300).collect()
}

/// Whether a character is ignored: it cannot be seen, or is a mark of a script whose marks are accents or points.
fn is_accent(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    let is_mark =
        matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
            && matches!(
                u32::from(character),
                0x300..=0x36f
                    | 0x483..=0x489
                    | 0x590..=0x5ff
                    | 0x600..=0x6ff
                    | 0x700..=0x74f
                    | 0x8c0..=0x8ff
                    | 0x1ab0..=0x1aff
                    | 0x1dc0..=0x1dff
                    | 0x20d0..=0x20ff
                    | 0xfe20..=0xfe2f
            );
    is_mark || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
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
