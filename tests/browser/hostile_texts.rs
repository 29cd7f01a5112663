use grateful_tests::json;

use crate::visitor::{Visitor, start_server};

const IMAGE: &str = "<img src=x onerror=\"window.hostile=1\">";
const SCRIPT: &str = "\"'></p><script>window.hostile=1</script>";

/// A word that cannot be broken, and marks that stack or turn the text around.
fn wide_text() -> String {
    format!(
        "{} \u{202e}reversed\u{202c} {}",
        "W".repeat(120),
        "a\u{0301}\u{0302}\u{0303}".repeat(20)
    )
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn no_text_of_a_user_runs_as_script_or_breaks_the_layout() {
    let server = start_server().await;
    let client = server.client();
    let mallory = client.sign_up("mallory").await;
    let profile = json!({
        "display_name": "<b onclick=x>M", "bio": format!("{SCRIPT}{IMAGE}"), "city": "<svg/onload=hostile=1>",
        "institutions": [SCRIPT, IMAGE], "websites": ["https://example.org/?q=%22%3E%3Cscript%3E"],
    });
    client.put("/api/v1/users/me/profile").by(&mallory).json(&profile).send().await.expect(200);
    let ana = Visitor::sign_up(&server, "ana").await;
    let mut posts = Vec::new();
    for text in [IMAGE.to_owned(), SCRIPT.to_owned(), wide_text()] {
        let body = json!({
            "content": text, "title": "<iframe srcdoc='<script>parent.hostile=1</script>'>",
            "location": "javascript:window.hostile=1", "post_type": "daily",
        });
        let created = client.post("/api/v1/posts").by(&mallory).json(&body).send().await;
        posts.push(created.expect(201).id());
    }
    let own = ana.publish("For the first snow.").await;
    let comment = json!({"content": format!("{IMAGE} @ana {}", wide_text())});
    let path = format!("/api/v1/posts/{own}/comments");
    client.post(&path).by(&mallory).json(&comment).send().await.expect(201);
    let id = client.get_session(&ana.token).send().await.expect(200).data()["id"].clone();
    let share = json!({"share_method": "message", "recipient_ids": [id], "message": SCRIPT});
    let path = format!("/api/v1/posts/{}/share", posts[0]);
    client.post(&path).by(&mallory).json(&share).send().await.expect(201);

    ana.resize(320, 700).await;
    let pages = [
        ("/", IMAGE),
        ("/newest", SCRIPT),
        (&*format!("/post/{}", posts[0]), "javascript:window.hostile=1"),
        (&*format!("/post/{own}"), IMAGE),
        ("/people/mallory", "<svg/onload=hostile=1>"),
        ("/people/mallory/followers", "Followers"),
        ("/notifications", SCRIPT),
        ("/search?q=mall", "<b onclick=x>M"),
        ("/people/%3Cscript%3Ehostile=1%3C%2Fscript%3E", "not here"),
        ("/post/%22%3E%3Cimg%20src=x%20onerror=hostile=1%3E", "not here"),
    ];
    for (page, text) in pages {
        ana.open_page(page).await;
        ana.sees(text).await;
        let hostile = ana.script("return window.hostile ?? null", &[]).await;
        assert_eq!(hostile, json!(null), "{page}");
        let created = "return document.querySelectorAll('main script, main iframe, main svg[onload], main b').length";
        assert_eq!(ana.script(created, &[]).await, 0, "{page}");
        ana.assert_fits(page).await;
    }
    ana.assert_no_errors().await;
}
