use actix_web::test::TestRequest;
use grateful_site::PostPreview;
use rstest::rstest;

use crate::support::{BROWSER, PUBLIC_POST, Response, a_preview, open, send};

async fn page_of(preview: PostPreview) -> Response {
    let path = format!("/post/{PUBLIC_POST}");
    send(preview, TestRequest::get().uri(&path).insert_header(("Accept", BROWSER))).await
}

#[actix_web::test]
async fn the_page_of_a_public_post_says_what_it_is() {
    let preview = PostPreview { image_url: Some("/uploads/posts/1.jpg".to_owned()), ..a_preview() };

    let page = page_of(preview).await.body;

    assert!(page.contains("<title>Monday morning · Grateful</title>"), "{page}");
    for (property, content) in [
        ("og:title", "Monday morning"),
        ("og:description", "For the bus driver who waited."),
        ("og:url", &format!("https://grateful.example/post/{PUBLIC_POST}")),
        ("og:image", "https://grateful.example/uploads/posts/1.jpg"),
        ("og:type", "article"),
        ("article:author", "Ana"),
    ] {
        let element = format!(r#"<meta property="{property}" content="{content}">"#);
        assert!(page.contains(&element), "{element} is not in {page}");
    }
}

#[actix_web::test]
async fn a_post_without_a_picture_names_none() {
    assert!(!page_of(a_preview()).await.body.contains("og:image"));
}

#[actix_web::test]
async fn crawlers_that_accept_anything_get_the_preview() {
    let path = format!("/post/{PUBLIC_POST}");

    let page = send(a_preview(), TestRequest::get().uri(&path)).await.body;

    assert!(page.contains("og:title"), "{page}");
}

#[actix_web::test]
async fn nothing_tells_one_hidden_post_from_another() {
    let (one, other) =
        (open("/post/00000000-0000-7000-8000-000000000001").await, open("/post/x").await);

    assert!(!one.body.contains("og:"), "{}", one.body);
    assert_eq!((one.status, &one.body), (other.status, &other.body));
    for (name, value) in &one.headers {
        assert_eq!(other.headers.get(name), Some(value), "{name}");
    }
}

#[rstest]
#[case::an_element("<script>alert(1)</script>")]
#[case::the_end_of_the_title("</title><img src=x onerror=alert(1)>")]
#[case::the_end_of_an_attribute("\"><script>alert(1)</script>")]
#[case::a_single_quote("' onload='alert(1)")]
#[case::references("&lt;script&gt; &amp; &#60;")]
#[case::a_comment("<!-- --> ]]>")]
#[case::a_placeholder("{head} {title} {assets}")]
#[actix_web::test]
async fn hostile_texts_stay_text(#[case] text: &str) {
    let calm = page_of(a_preview()).await.body;
    let preview = PostPreview {
        title: text.to_owned(),
        description: text.to_owned(),
        author: text.to_owned(),
        ..a_preview()
    };

    let page = page_of(preview).await.body;

    // As many elements and attributes as without them, and the text itself where it belongs.
    for sign in ['<', '>', '"'] {
        assert_eq!(page.matches(sign).count(), calm.matches(sign).count(), "{sign} in {page}");
    }
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    assert!(page.contains(&format!("<title>{escaped} · Grateful</title>")), "{page}");
}
