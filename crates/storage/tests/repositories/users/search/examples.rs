//! Which users a search finds and in which order, by example.

use grateful_domain::{Bio, DisplayName, UserSearchQuery};
use grateful_storage::{Repositories, Users};

use super::scenario::Scenario;
use crate::support::follows::insert_follow;

#[tokio::test]
async fn exact_matches_come_first_then_prefixes_then_substrings() {
    let scenario = Scenario::with_users(&[
        ("bo_ann", ""),
        ("anna", ""),
        ("carol", "Ann"),
        ("ann", ""),
        ("able", "Joanne"),
        ("zed", "Anneliese"),
        ("ben", "Ben"),
    ])
    .await;

    assert_eq!(scenario.find("ann").await, ["ann", "carol", "anna", "zed", "able", "bo_ann"]);
}

#[tokio::test]
async fn equal_matches_are_sorted_by_username_in_any_case() {
    let scenario = Scenario::with_users(&[
        ("Cara", "Ana"),
        ("bea", "ana"),
        ("Anabel", ""),
        ("dora", "Anabel"),
        ("anab", ""),
        ("Abe", "Diana"),
        ("yana", ""),
    ])
    .await;

    let found = scenario.find("ana").await;

    assert_eq!(found, ["bea", "Cara", "anab", "Anabel", "dora", "Abe", "yana"]);
    assert_eq!(scenario.find_limited("ana", 3).await, found[..3]);
    assert_eq!(scenario.find_limited("ana", 1).await, found[..1]);
}

/// The username is unique, whichever other users have it as display name.
#[tokio::test]
async fn an_exact_username_comes_before_equal_display_names() {
    let scenario = Scenario::with_users(&[("ana", ""), ("aaa", "Ana"), ("aab", "ANA")]).await;

    assert_eq!(scenario.find_limited("ana", 1).await, ["ana"]);
    assert_eq!(scenario.find("ana").await, ["ana", "aaa", "aab"]);
}

#[tokio::test]
async fn a_user_with_several_matches_is_found_once_by_the_best_one() {
    let scenario =
        Scenario::with_users(&[("ana", "Ana Ana"), ("anab", "Ana"), ("bana", "Banana")]).await;

    assert_eq!(scenario.find("ana").await, ["ana", "anab", "bana"]);
}

#[tokio::test]
async fn one_or_two_characters_match_only_prefixes() {
    let scenario = Scenario::with_users(&[
        ("anna", ""),
        ("joan", "An"),
        ("susan", ""),
        ("yuki", "東京 花"),
        ("ito", "花"),
    ])
    .await;

    assert_eq!(scenario.find("an").await, ["joan", "anna"]);
    assert_eq!(scenario.find("A").await, ["anna", "joan"]);
    assert_eq!(scenario.find("東京").await, ["yuki"]);
    assert_eq!(scenario.find("花").await, ["ito"]);
    assert_eq!(scenario.find("京 花").await, ["yuki"]);
}

#[tokio::test]
async fn wildcards_and_special_characters_match_literally() {
    let scenario = Scenario::with_users(&[
        ("a_b", ""),
        ("axb", ""),
        ("percent", "100% Ana"),
        ("back", r"C:\temp"),
        ("brackets", "[^a](.*)+"),
        ("quote", "O'Neil $1 {a,b}"),
    ])
    .await;

    assert_eq!(scenario.find("a_b").await, ["a_b"]);
    assert_eq!(scenario.find("_").await, [""; 0]);
    assert_eq!(scenario.find("%").await, [""; 0]);
    assert_eq!(scenario.find("%%%").await, [""; 0]);
    assert_eq!(scenario.find("0% ").await, [""; 0]);
    assert_eq!(scenario.find("0% a").await, ["percent"]);
    assert_eq!(scenario.find(r":\t").await, ["back"]);
    assert_eq!(scenario.find(r"\\\").await, [""; 0]);
    assert_eq!(scenario.find("(.*").await, ["brackets"]);
    assert_eq!(scenario.find("...").await, [""; 0]);
    assert_eq!(scenario.find("'ne").await, ["quote"]);
    assert_eq!(scenario.find("{a,").await, ["quote"]);
}

#[tokio::test]
async fn case_and_accents_are_ignored_in_every_script() {
    let scenario = Scenario::with_users(&[
        ("anne", "Änne"),
        ("ivan", "Иван Петров"),
        ("odysseus", "ΟΔΥΣΣΕΥΣ"),
        ("ilknur", "İlknur"),
        ("jose", "José"),
    ])
    .await;

    for term in ["ÄNNE", "änne", "A\u{308}NNE", "nNe"] {
        assert_eq!(scenario.find(term).await, ["anne"], "{term}");
    }
    for term in ["ИВАН", "иван", "пЕТ", "ва"] {
        let expected: &[&str] = if term == "ва" { &[] } else { &["ivan"] };
        assert_eq!(scenario.find(term).await, expected, "{term}");
    }
    // Both forms of the lower-case sigma are equal, also at the end of the search term.
    for term in ["οδυσ", "ΟΔΥΣ", "οδυς", "Οδυσσευς", "ΣΕΥΣ", "σευσ"] {
        assert_eq!(scenario.find(term).await, ["odysseus"], "{term}");
    }
    assert_eq!(scenario.find("İLKNUR").await, ["ilknur"]);
    assert_eq!(scenario.find("JOSÉ").await, ["jose"]);
    assert_eq!(scenario.find("anne").await, ["anne"]);
    assert_eq!(scenario.find("Οδυσσεύς").await, ["odysseus"]);
    assert_eq!(scenario.find("Josef").await, [""; 0]);
}

/// Each name with terms that its owner, or others without the letter on their keyboard, may type.
#[tokio::test]
async fn names_are_found_whichever_case_width_and_accents_are_typed() {
    for (name, terms) in [
        ("İpek", &["ipek", "IPEK", "İPEK", "ıpek"][..]),
        ("Işık", &["ışık", "işık", "IŞIK", "isik"]),
        ("Groß", &["GROSS", "gross", "groẞ", "ross"]),
        ("José", &["jose", "JOSÉ", "jose\u{301}", "ＪＯＳＥ"]),
        ("Ａｎｎ", &["ann", "ＡＮＮ"]),
        ("ﬁnn", &["finn", "FINN", "ﬁNN"]),
        ("ǅemal", &["ǆemal", "DŽEMAL", "dzemal"]),
        ("zero\u{200b}width", &["zerowidth", "zero\u{200b}width", "row"]),
        ("Łukasz Ørsted", &["lukasz orsted", "ØRSTED"]),
        ("Æsir", &["aesir", "æsir"]),
        ("ΟΔΥΣΣΕΥΣ", &["οδυσσευς", "Οδυσσεύς", "σσευσ"]),
        ("ქართული", &["ᲥᲐᲠᲗᲣᲚᲘ"]),
        ("عَلِيّ", &["علي", "عَلِيّ"]),
        ("김철수", &["김철수", "김"]),
        ("カナ", &["ｶﾅ"]),
        ("❤\u{fe0f} Ana", &["❤ ana", "❤"]),
        ("👩\u{200d}👩\u{200d}👧 Lima", &["👩\u{200d}👧 lima", "👩👩"]),
    ] {
        let scenario = Scenario::with_users(&[("qqqq", name)]).await;
        for term in terms {
            assert_eq!(scenario.find(term).await, ["qqqq"], "{name} by {term}");
        }
    }
}

#[tokio::test]
async fn marks_that_make_letters_are_not_ignored() {
    let scenario = Scenario::with_users(&[("gaku", "がく"), ("kiku", "नीता")]).await;

    assert_eq!(scenario.find("かく").await, [""; 0]);
    assert_eq!(scenario.find("がく").await, ["gaku"]);
    assert_eq!(scenario.find("नता").await, [""; 0]);
}

/// The decomposition of this character has eighteen.
#[tokio::test]
async fn a_name_that_grows_by_folding_is_stored_and_found() {
    let name = "\u{fdfa}".repeat(DisplayName::MAX_CHARS);
    let scenario = Scenario::with_users(&[("ana", &name)]).await;

    assert_eq!(scenario.find(&name).await, ["ana"]);
    assert_eq!(scenario.find("\u{fdfa}").await, ["ana"]);
}

/// Two characters remain of a text of four, and no index has runs of two.
#[tokio::test]
async fn ignored_characters_do_not_make_a_text_long_enough_to_match_inside_names() {
    let scenario = Scenario::with_users(&[("joan", ""), ("anna", "")]).await;

    assert_eq!(scenario.find("a\u{200b}\u{200b}n").await, ["anna"]);
}

#[tokio::test]
async fn a_leading_at_sign_is_ignored() {
    let scenario = Scenario::with_users(&[("ana", ""), ("home", "Me @ana")]).await;

    assert_eq!(scenario.find(" @Ana ").await, ["ana", "home"]);
    assert_eq!(scenario.find("e @a").await, ["home"]);
}

#[tokio::test]
async fn the_viewer_and_users_across_a_block_are_not_found_and_others_fill_the_list() {
    let names = ["ana1", "ana2", "ana3", "ana4", "ana5", "jana6", "jana7"].map(|name| (name, ""));
    let scenario = Scenario::with_users(&names).await;
    let ana3 = scenario.id("ana3").await;
    insert_follow(&scenario.database, ana3, scenario.id("ana1").await, "blocked").await;
    insert_follow(&scenario.database, scenario.id("jana6").await, ana3, "blocked").await;
    insert_follow(&scenario.database, ana3, scenario.id("ana2").await, "active").await;
    insert_follow(&scenario.database, scenario.id("ana4").await, ana3, "pending").await;

    let scenario = Scenario { viewer: ana3, ..scenario };

    assert_eq!(scenario.find("ana").await, ["ana2", "ana4", "ana5", "jana7"]);
    assert_eq!(scenario.find_limited("ana", 2).await, ["ana2", "ana4"]);
    for hidden in ["ana1", "jana6", "ana3"] {
        assert_eq!(scenario.find(hidden).await, [""; 0]);
    }
}

#[tokio::test]
async fn results_contain_the_fields_that_lists_show() {
    let scenario = Scenario::with_users(&[("ana", "Ana Lima")]).await;
    let update = "UPDATE users SET bio = 'Hi', profile_image_url = '/a.jpg' WHERE username = 'ana'";
    scenario.database.execute(update).await;

    let query = UserSearchQuery::parse("lima").unwrap();
    let mut conn = scenario.database.connect().await;
    let found = conn.users().search(scenario.viewer, &query, 10).await.unwrap();

    let [user] = &found[..] else { panic!("{found:?}") };
    assert_eq!(user.author.id, scenario.id("ana").await);
    assert_eq!(user.author.display_name.as_ref().map(DisplayName::as_str), Some("Ana Lima"));
    assert_eq!(user.author.profile_image_url.as_deref(), Some("/a.jpg"));
    assert_eq!(user.bio.as_ref().map(Bio::as_str), Some("Hi"));
}

#[tokio::test]
async fn after_a_rename_only_the_new_name_is_found() {
    let scenario = Scenario::with_users(&[("ana", "Ana Lima"), ("ben", "")]).await;

    scenario.database.execute("UPDATE users SET display_name = 'Zoe' WHERE username = 'ana'").await;
    scenario.database.execute("UPDATE users SET username = 'carlos' WHERE username = 'ben'").await;

    assert_eq!(scenario.find("lima").await, [""; 0]);
    assert_eq!(scenario.find("zoe").await, ["ana"]);
    assert_eq!(scenario.find("ben").await, [""; 0]);
    assert_eq!(scenario.find("arlo").await, ["carlos"]);
}

/// A name with all trigrams of the search term in another order is a candidate like any other, but no match.
#[tokio::test]
async fn matching_trigrams_without_the_whole_term_are_not_enough() {
    let scenario =
        Scenario::with_users(&[("abc.bcd", ""), ("xabcdx", ""), ("bcde", "Abc"), ("cde", "ABCD")])
            .await;

    assert_eq!(scenario.find("abcd").await, ["cde", "xabcdx"]);
    // A match must lie within one of the two names.
    scenario.add(&[("left_ri", "ght")]).await;
    assert_eq!(scenario.find("right").await, [""; 0]);
}

/// The result is full even if more users match than candidates are inspected.
#[tokio::test]
async fn the_result_is_full_when_more_users_match_than_are_inspected() {
    let scenario = Scenario::create().await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password, display_name)
             SELECT n || '@example.org', 'user' || n, 'x', (ARRAY['Same', 'Samesame', 'Unsame'])[n % 3 + 1]
             FROM generate_series(10000, 10000 + 6 * {}) AS n",
            Users::MAX_CANDIDATES
        ))
        .await;

    for term in ["same", "sam", "s", "user", "ser1", "nsam", "name"] {
        let found = scenario.find_limited(term, 50).await;
        let expected = if term == "name" { 0 } else { 50 };
        assert_eq!(found.len(), expected, "{term}");
    }
    // Users with exactly this display name are sorted by username, however many there are.
    assert_eq!(scenario.find_limited("same", 2).await, ["user10002", "user10005"]);
}
