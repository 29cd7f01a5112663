//! The output of the examples.

#[expect(dead_code, reason = "`main` is only used when the example runs by itself")]
#[path = "../examples/batching.rs"]
mod batching;
#[expect(dead_code, reason = "`main` is only used when the example runs by itself")]
#[path = "../examples/mentions.rs"]
mod mentions;
#[expect(dead_code, reason = "`main` is only used when the example runs by itself")]
#[path = "../examples/ranking.rs"]
mod ranking;
#[expect(dead_code, reason = "`main` is only used when the example runs by itself")]
#[path = "../examples/shop.rs"]
mod shop;

#[test]
fn the_batching_example_batches_updates_withdraws_and_restores() {
    let output = batching::run().unwrap();

    assert_eq!(
        lines(&output),
        [
            "Ben gives a heart",
            "  ● New Like 💜: ben liked your post",
            "Caro gives a heart, and Ben reacts with a hug",
            "  ● New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🤗",
            "      caro liked your post",
            "      ben liked your post",
            "Ana reads all notifications",
            "  ○ New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🤗",
            "      caro liked your post",
            "      ben liked your post",
            "Ben changes his reaction to fire, and Caro removes her heart",
            "  ○ New Engagement 💜: ben liked your post and reacted with 🔥",
            "      ben reacted to your post with 🔥",
            "      ben liked your post",
            "Caro gives the heart again",
            "  ○ New Engagement 💜: 2 people engaged with your post",
            "      ben reacted to your post with 🔥",
            "      caro liked your post",
            "      ben liked your post",
            "23 users request to follow Ana",
            "  20 unread, 3 held back",
        ]
    );
}

#[test]
fn the_ranking_example_pages_through_a_custom_feed() {
    let output = ranking::run().unwrap();

    assert_eq!(
        lines(&output),
        [
            "after 0 positions",
            "  Tomatoes to give away  ranked  8.49 = 12.0 × 1.0 × 0.707",
            "  Compost is ready       ranked  5.67 =  9.0 × 1.0 × 0.630",
            "  Mind the hives         ranked  3.17 =  2.0 × 2.0 × 0.794",
            "  First honey            ranked  1.88 = 30.0 × 2.0 × 0.031",
            "after 4 positions",
            "  Lost: one glove        fresh   0.45 =  0.5 × 1.0 × 0.891",
            "  Seeds to swap          ranked  0.30 =  3.0 × 1.0 × 0.099",
            "  Water is back          ranked  4.49 =  8.0 × 1.0 × 0.561",
        ]
    );
}

#[test]
fn the_mentions_example_notifies_only_added_mentions() {
    let output = mentions::run().unwrap();

    assert_eq!(
        lines(&output),
        [
            r#"the post mentions ["ben", "caro"]"#,
            r#"the edit adds ["dan"] and removes ["ben"]"#,
            "notified users: 4",
            r#"as a private post, it mentions [], although its text has ["Caro", "dan"]"#,
        ]
    );
}

#[test]
fn the_shop_example_batches_events_of_its_own() {
    let output = shop::run().unwrap();

    assert_eq!(
        lines(&output),
        [
            "Two orders of lamps",
            "  ● 2 orders of lamps by 2 customers",
            "Two more the next day",
            "  ● Dan ordered lamps",
            "  ● 3 orders of lamps by 2 customers",
            "Caro cancels her order",
            "  ○ Dan ordered lamps",
            "  ○ Ben ordered lamps 2 times",
            "Caro orders after all",
            "  ○ Dan ordered lamps",
            "  ○ 3 orders of lamps by 2 customers",
            "Caro reviews the lamp, and adds a star",
            "  ● Caro gives lamps ★★★★★",
            "  ○ Dan ordered lamps",
            "  ○ 3 orders of lamps by 2 customers",
            "Ben returns three orders",
            "  ● Ben asks for a refund",
            "  ● Ben asks for a refund",
            "  ● Caro gives lamps ★★★★★",
            "  ○ Dan ordered lamps",
            "  ○ 3 orders of lamps by 2 customers",
            "  1 held back",
        ]
    );
}

fn lines(output: &str) -> Vec<&str> {
    output.lines().collect()
}
