use std::path::PathBuf;

use grateful_tests::{Setup, json};

use crate::browser::Browser;
use crate::visitor::Visitor;

/// Widths of a small phone, a tablet and a desktop, in CSS pixels. The first is also 1280 pixels at 400 % zoom.
const WIDTHS: [u32; 3] = [320, 768, 1280];

/// Shows a page at all widths, light and dark, and asserts that it fits. If `GRATEFUL_SCREENSHOTS` names a directory,
/// also takes a picture of each.
async fn look_at(browser: &Browser, name: &str) {
    let directory = std::env::var_os("GRATEFUL_SCREENSHOTS").map(PathBuf::from);
    for width in WIDTHS {
        browser.resize(width, 900).await;
        browser.assert_fits(&format!("{name} at {width}")).await;
        for scheme in ["light", "dark"] {
            // Without the transitions from one scheme to the other.
            let motion = ("prefers-reduced-motion", "reduce");
            browser.prefer(&[("prefers-color-scheme", scheme), motion]).await;
            let Some(directory) = &directory else { continue };
            browser.waits_until("all pictures are shown", IMAGES_ARE_SHOWN).await;
            let file = directory.join(format!("{name}-{width}-{scheme}.png"));
            std::fs::write(file, browser.screenshot().await).unwrap();
        }
    }
    browser.resize(1280, 900).await;
}

/// Takes the picture of README.md into the file that `GRATEFUL_FRONT_PAGE` names, if it names one.
async fn take_front_page(browser: &Browser) {
    let Some(file) = std::env::var_os("GRATEFUL_FRONT_PAGE") else { return };
    browser.prefer(&[("prefers-color-scheme", "light")]).await;
    browser.waits_until("all pictures are shown", IMAGES_ARE_SHOWN).await;
    std::fs::write(file, browser.small_screenshot().await).unwrap();
}

const IMAGES_ARE_SHOWN: &str =
    "return [...document.images].every((image) => image.loading === 'lazy' || image.complete)";

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn every_page_fits_at_every_width() {
    let setup = Setup::with_test_database().await;
    setup
        .run(&["seed", "--users=60", "--posts=200", "--engagements=1500", "--follows=300"])
        .expect(0);
    let server = setup.start().await;
    let client = server.client();
    let guest = Browser::open(&server).await;
    guest.open_page("/").await;
    guest.sees("Create an account").await;
    look_at(&guest, "welcome").await;

    let ana = Visitor::sign_up(&server, "ana").await;
    let profile = json!({
        "display_name": "Ana Sommer", "city": "Lisbon",
        "bio": "Gardener, early riser, collects small good things.",
    });
    client.put("/api/v1/users/me/profile").by(&ana.token).json(&profile).send().await.expect(200);
    for user in [2, 3, 5] {
        let path = format!("/api/v1/follows/{user}");
        client.post(&path).by(&ana.token).send().await;
    }
    let text =
        "For the neighbour who carried the shopping up four floors and would not hear of thanks.";
    let post = ana.publish(text).await;
    setup.run(&["seed", "--users=60", "--live", "--acts=220", "--rate=1000/s"]).expect(0);

    ana.open_page("/").await;
    ana.sees("For you").await;
    ana.waits_until("posts", "return document.querySelectorAll('.post').length > 5").await;
    look_at(&ana, "feed").await;
    ana.press_in(".feed", "button", "Why is this here?").await;
    look_at(&ana, "why").await;
    take_front_page(&ana).await;
    for (name, page, text) in [
        ("post", &*format!("/post/{post}"), "Comments"),
        ("person", "/people/ana", "Ana Sommer"),
        ("notifications", "/notifications", "people"),
        ("search", "/search?q=mar", "@"),
        ("settings", "/settings", "Devices"),
        ("not-found", "/people/unknown", "This person is not here"),
    ] {
        ana.open_page(page).await;
        ana.sees(text).await;
        look_at(&ana, name).await;
    }
    ana.open_page(&format!("/post/{post}")).await;
    ana.press_in(".post", "button", "Share").await;
    ana.sees("Send to").await;
    look_at(&ana, "share").await;
    guest.open_page(&format!("/post/{post}")).await;
    guest.sees("four floors").await;
    look_at(&guest, "shared-link").await;
    guest.open_page("/about/server").await;
    guest
        .waits_until("plots", "return document.querySelectorAll('.plot-line[d*=L]').length > 8")
        .await;
    look_at(&guest, "server").await;
}
