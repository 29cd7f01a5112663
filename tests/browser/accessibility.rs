use grateful_tests::{Token, Value, json};

use crate::browser::Browser;
use crate::visitor::{Visitor, card, start_server};

/// Runs axe-core in the page and returns what it found. `tests/browser/run` installs it and sets the variable.
async fn violations(browser: &Browser) -> Vec<String> {
    let file =
        std::env::var("GRATEFUL_AXE").expect("run by tests/browser/run, which installs axe-core");
    let axe = std::fs::read_to_string(file).unwrap();
    browser.script(&axe, &[]).await;
    let run = "const done = arguments[0]; axe.run().then(({ violations }) => done(violations), (error) => done([{ id: String(error), nodes: [] }]))";
    let found = browser.script_with_callback(run, &[]).await;
    let describe = |violation: &Value| {
        let nodes = violation["nodes"].as_array().unwrap().iter();
        let nodes: Vec<String> =
            nodes.map(|node| format!("{} {}", node["target"], node["failureSummary"])).collect();
        format!("{}: {}", violation["id"], nodes.join("; "))
    };
    found.as_array().unwrap().iter().map(describe).collect()
}

async fn assert_accessible(browser: &Browser, page: &str) {
    for scheme in ["light", "dark"] {
        browser
            .prefer(&[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")])
            .await;
        let found = violations(browser).await;
        assert!(found.is_empty(), "{page}, {scheme}: {found:#?}");
    }
}

#[tokio::test]
#[ignore = "needs Chromium and axe-core: tests/browser/run"]
async fn axe_core_finds_no_violation_on_any_page() {
    let server = start_server().await;
    let client = server.client();
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;
    let mut friends: Vec<Token> = Vec::new();
    for name in ["ben", "caro", "dora"] {
        let friend = client.sign_up(name).await;
        client.post(&format!("/api/v1/posts/{post}/heart")).by(&friend).send().await.expect(201);
        let reaction = json!({"emoji_code": "hug"});
        let path = format!("/api/v1/posts/{post}/reactions");
        client.post(&path).by(&friend).json(&reaction).send().await.expect(201);
        let comment = json!({"content": "And for the bus, @ana."});
        let path = format!("/api/v1/posts/{post}/comments");
        client.post(&path).by(&friend).json(&comment).send().await.expect(201);
        client.create_post(&friend, "For the tram.").send().await.expect(201);
        friends.push(friend);
    }

    ana.open_page("/").await;
    ana.press_in(&card(&post), "button", "Why is this here?").await;
    ana.press_in("form.composer", "button", "More options").await;
    assert_accessible(&ana, "ranked feed").await;
    ana.press_in(&card(&post), "button", "React").await;
    assert_accessible(&ana, "reactions").await;
    ana.press_in(&card(&post), "button", "Share").await;
    ana.sees("Send to").await;
    assert_accessible(&ana, "share dialog").await;
    ana.open_page(&format!("/post/{post}")).await;
    ana.sees("And for the bus").await;
    ana.press_in(".comment", "button", "Reply to").await;
    assert_accessible(&ana, "post").await;
    ana.open_page("/notifications").await;
    ana.press_in(".notification", "button", "Show").await;
    ana.sees_in(".children", "ben").await;
    assert_accessible(&ana, "notifications").await;
    for (page, text) in [
        ("/newest", "For the tram."),
        ("/people/ben", "For the tram."),
        ("/people/ben/followers", "No followers yet"),
        ("/search?q=be", "ben"),
        ("/settings", "Devices"),
        ("/people/unknown", "This person is not here"),
        ("/nothing/here", "There is no page here"),
    ] {
        ana.open_page(page).await;
        ana.sees(text).await;
        assert_accessible(&ana, page).await;
    }
    ana.script("sessionStorage.clear()", &[]).await;
    for (page, text) in [
        ("/", "Create an account"),
        ("/signin", "Sign in"),
        ("/signup", "Sign up"),
        (&*format!("/post/{post}"), "For the first snow."),
        ("/about/server", "Busiest routes"),
    ] {
        ana.open_page(page).await;
        ana.sees(text).await;
        assert_accessible(&ana, page).await;
    }
}

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// The name of the control that has the focus.
async fn focused(browser: &Browser) -> String {
    let name = "const { activeElement: element } = document; return (element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent).trim()";
    browser.script(name, &[]).await.as_str().unwrap().to_owned()
}

/// Presses Tab until a control with this name has the focus.
async fn tab_to(browser: &Browser, name: &str) {
    let mut passed = Vec::new();
    while passed.len() < 60 {
        browser.press(TAB).await;
        let now = focused(browser).await;
        if now.starts_with(name) {
            let has_outline =
                "return getComputedStyle(document.activeElement).outlineStyle !== 'none'";
            assert_eq!(
                browser.script(has_outline, &[]).await,
                true,
                "the focus on {name} is invisible"
            );
            return;
        }
        passed.push(now);
    }
    panic!("{name} is not reached by Tab, only {passed:?}");
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn everything_on_the_feed_can_be_done_with_the_keyboard() {
    let server = start_server().await;
    let client = server.client();
    let ben = client.sign_up("ben").await;
    client.create_post(&ben, "For the tram.").send().await.expect(201);
    let ana = Visitor::sign_up(&server, "ana").await;
    ana.reload().await;
    ana.sees("For the tram.").await;

    tab_to(&ana, "Skip to content").await;
    ana.press(ENTER).await;
    tab_to(&ana, "What are you grateful for?").await;
    let field = ana.find("form.composer", "field", "What are you grateful for?").await;
    ana.type_into(&field, "For the keyboard.").await;
    tab_to(&ana, "Post").await;
    ana.press(ENTER).await;
    ana.sees_in(".feed", "For the keyboard.").await;
    tab_to(&ana, "Heart").await;
    ana.press(" ").await;
    ana.waits_until("the heart is given", "return document.activeElement.ariaPressed === 'true'")
        .await;
    tab_to(&ana, "React").await;
    ana.press(ENTER).await;
    ana.waits_until(
        "the first reaction has the focus",
        "return document.activeElement.ariaLabel === 'Hug'",
    )
    .await;
    ana.press(ESCAPE).await;
    assert!(focused(&ana).await.starts_with("React"), "the focus returns to its button");
    tab_to(&ana, "Share").await;
    ana.press(ENTER).await;
    ana.sees("Send to").await;
    ana.press(ESCAPE).await;
    ana.no_longer_sees_in("body", "Send to").await;
    assert!(focused(&ana).await.starts_with("Share"), "the focus returns to its button");
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn nothing_moves_for_users_who_prefer_reduced_motion() {
    let server = start_server().await;
    let ana = Visitor::sign_up(&server, "ana").await;
    ana.publish("For the first snow.").await;
    let moving = "return [...document.querySelectorAll('*')].map((element) => getComputedStyle(element)).filter((style) => parseFloat(style.transitionDuration) > 0.01 || (style.animationName !== 'none' && parseFloat(style.animationDuration) > 0.01)).length";
    assert_ne!(ana.script(moving, &[]).await, 0, "there are transitions to switch off");

    ana.prefer(&[("prefers-reduced-motion", "reduce")]).await;

    assert_eq!(ana.script(moving, &[]).await, 0);
}
