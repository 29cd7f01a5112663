//! `/api/avatar`: default avatars.

use actix_web::http::Method;
use grateful_domain::{Colour, UserId};
use grateful_testkit::{Api, ApiResponse, a_user};
use serde_json::json;

use crate::support::{assert_problem, invalid_fields};

/// The colours by `id % 8` (docs/rules.md#default-avatars).
const COLOURS: [&str; 8] =
    ["7C3AED", "A855F7", "C084FC", "DDD6FE", "8B5CF6", "9333EA", "A21CAF", "BE185D"];

#[actix_web::test]
async fn the_initials_contrast_with_the_background() {
    let api = Api::create().await;
    let ana = create_user_named(&api, "Ana Lima").await;

    for (query, background, text_colour) in [
        ("?color=7C3AED", "7C3AED", "FFFFFF"),
        ("?color=ddd6fe", "DDD6FE", "000000"),
        ("?color=FFFFFF", "FFFFFF", "000000"),
        ("?x=1&color=000000", "000000", "FFFFFF"),
    ] {
        let response = get_avatar(&api, &format!("{ana}{query}")).await.expect(200);
        assert_eq!(response.header("content-type"), Some("image/svg+xml"));
        let svg = String::from_utf8(response.body).unwrap();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
        assert!(svg.contains(&format!("fill=\"#{background}\"/>")), "{svg}");
        assert!(svg.contains(&format!("fill=\"#{text_colour}\"")), "{svg}");
        assert!(svg.ends_with(">AL</text></svg>"), "{svg}");
    }
}

#[actix_web::test]
async fn the_default_colour_depends_on_the_user_id() {
    let api = Api::create().await;
    let mut seen = vec![];
    for _ in 0..9 {
        let id = i64::from(a_user().insert_into(api.database()).await.id);
        let svg = get_avatar(&api, &id.to_string()).await.expect(200).body;
        let colour = COLOURS[usize::try_from(id % 8).unwrap()];
        assert!(String::from_utf8(svg).unwrap().contains(&format!("fill=\"#{colour}\"/>")), "{id}");
        assert_eq!(Colour::for_user(UserId::from(id)).to_string(), colour);
        seen.push(colour);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8);
}

#[actix_web::test]
async fn an_unchanged_avatar_is_not_sent_again() {
    let api = Api::create().await;
    let ana = create_user_named(&api, "Ana Lima").await;
    let first = get_avatar(&api, &ana).await.expect(200);
    let tag = first.header("etag").unwrap();
    let again = || api.get(&format!("/api/avatar/{ana}")).header("If-None-Match", tag).send();

    let not_modified = again().await.expect(304);
    for response in [&first, &not_modified] {
        assert_eq!(response.header("cache-control"), Some("public, max-age=3600"));
        assert_eq!(response.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("etag"), Some(tag));
    }
    assert_eq!(not_modified.body, b"");
    api.database().execute("UPDATE users SET display_name = 'Cat'").await;
    let changed = again().await.expect(200);
    assert_ne!(changed.header("etag"), Some(tag));
    assert!(tag.starts_with('"'), "{tag}");
    let other = format!("{ana}?color=000000");
    assert_ne!(get_avatar(&api, &other).await.header("etag"), changed.header("etag"));
}

#[actix_web::test]
async fn names_are_escaped() {
    let api = Api::create().await;

    for (name, escaped) in
        [("<script>", "S"), ("\"", "&#34;"), ("& <b>", "&#38;"), ("💜", "&#128156;")]
    {
        let id = create_user_named(&api, name).await;
        let svg = String::from_utf8(get_avatar(&api, &id).await.expect(200).body).unwrap();
        assert!(svg.matches('<').count() == 5 && !svg.contains("script"), "{svg}");
        assert!(svg.contains(escaped) || name == "& <b>", "{name}: {svg}");
    }
}

#[actix_web::test]
async fn an_unknown_user_has_no_avatar() {
    let api = Api::create().await;

    for id in ["0", "-1", "4711", "9223372036854775807"] {
        let response = get_avatar(&api, id).await;
        assert_eq!(
            assert_problem(&response, 404, "not_found"),
            json!({"resource": "user", "id": id})
        );
    }
    for id in ["ana", "1.5", "9223372036854775808", "%00", "1%2f2"] {
        invalid_fields(&get_avatar(&api, id).await);
    }
}

#[actix_web::test]
async fn malformed_colours_are_rejected() {
    let api = Api::create().await;
    let ana = create_user_named(&api, "Ana").await;

    for colour in ["", "red", "7C3AE", "7C3AED0", "%237C3AED", "7C3AEG", "%22/%3E%3Cb%3E", "%00"] {
        let response = get_avatar(&api, &format!("{ana}?color={colour}")).await;
        assert_eq!(invalid_fields(&response), ["color"], "{colour}");
    }
}

#[actix_web::test]
async fn avatars_are_read_only() {
    let api = Api::create().await;
    let ana = create_user_named(&api, "Ana").await;
    let path = format!("/api/avatar/{ana}");

    let head = api.request(Method::HEAD, &path).send().await.expect(200);
    assert_eq!(head.header("content-type"), Some("image/svg+xml"));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = api.request(method, &path).send().await;
        assert_problem(&response, 405, "method_not_allowed");
        assert_eq!(response.header("allow"), Some("GET, HEAD"));
    }
}

/// Creates a user with this display name and returns the user's id.
async fn create_user_named(api: &Api, name: &str) -> String {
    let id = a_user().insert_into(api.database()).await.id;
    let name = name.replace('\'', "''");
    api.database()
        .execute(&format!("UPDATE users SET display_name = '{name}' WHERE id = {id}"))
        .await;
    id.to_string()
}

async fn get_avatar(api: &Api, path: &str) -> ApiResponse {
    api.get(&format!("/api/avatar/{path}")).send().await
}
