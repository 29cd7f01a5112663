//! The examples do what they show.

#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/batching.rs"]
mod batching;
#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/mentions.rs"]
mod mentions;
#[expect(dead_code, reason = "`main` is for people")]
#[path = "../examples/ranking.rs"]
mod ranking;

#[test]
fn what_others_did_is_gathered_and_taken_back_as_its_reader_sees_it() {
    let story = batching::story().unwrap();

    assert_eq!(
        lines(&story),
        [
            "Ben gives a heart",
            "  ● New Like 💜: ben liked your post",
            "Caro gives one too, and Ben leaves a hug",
            "  ● New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🤗",
            "      caro liked your post",
            "      ben liked your post",
            "Ana reads it",
            "  ○ New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🤗",
            "      caro liked your post",
            "      ben liked your post",
            "Ben turns the hug into a fire, and Caro takes her heart back",
            "  ○ New Engagement 💜: ben liked your post and reacted with 🔥",
            "      ben reacted to your post with 🔥",
            "      ben liked your post",
            "Caro gives it again",
            "  ○ New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🔥",
            "      caro liked your post",
            "      ben liked your post",
            "23 strangers ask to follow",
            "  20 unread, 3 held back",
        ]
    );
}

#[test]
fn a_list_of_ones_own_is_ranked_and_walked_through_with_reasons() {
    let board = ranking::board().unwrap();

    assert_eq!(
        lines(&board),
        [
            "after 0 places",
            "  Tomatoes to give away  ranked  8.49 = 12.0 × 1.0 × 0.707",
            "  Compost is ready       ranked  5.67 =  9.0 × 1.0 × 0.630",
            "  Mind the hives         ranked  3.17 =  2.0 × 2.0 × 0.794",
            "  First honey            ranked  1.88 = 30.0 × 2.0 × 0.031",
            "after 4 places",
            "  Lost: one glove        fresh   0.45 =  0.5 × 1.0 × 0.891",
            "  Seeds to swap          ranked  0.30 =  3.0 × 1.0 × 0.099",
            "  Water is back          ranked  4.49 =  8.0 × 1.0 × 0.561",
        ]
    );
}

#[test]
fn those_are_told_whom_an_edit_names_anew() {
    let story = mentions::story().unwrap();

    assert_eq!(
        lines(&story),
        [
            r#"it names ["ben", "caro"]"#,
            r#"then it names ["dan"] anew, and ["ben"] no longer"#,
            "who is told: 4",
            r#"made private, it names [], whatever stands in it: ["Caro", "dan"]"#,
        ]
    );
}

fn lines(page: &str) -> Vec<&str> {
    page.lines().collect()
}
