//! `/api/avatar`: what stands for people who have no photo.

use actix_web::http::Method;
use grateful_domain::{Colour, UserId};
use grateful_testkit::{Api, ApiResponse, a_user};
use serde_json::json;

use crate::support::{assert_problem, invalid_fields};

/// In the order of the ids, from one that eight divides (rules §8).
const COLOURS: [&str; 8] =
    ["7C3AED", "A855F7", "C084FC", "DDD6FE", "8B5CF6", "9333EA", "A21CAF", "BE185D"];

#[actix_web::test]
async fn initials_stand_on_a_colour_that_they_can_be_read_on() {
    let api = Api::create().await;
    let ana = someone_named(&api, "Ana Lima").await;

    for (asked, paper, ink) in [
        ("?color=7C3AED", "7C3AED", "FFFFFF"),
        ("?color=ddd6fe", "DDD6FE", "000000"),
        ("?color=FFFFFF", "FFFFFF", "000000"),
        ("?x=1&color=000000", "000000", "FFFFFF"),
    ] {
        let response = read(&api, &format!("{ana}{asked}")).await.expect(200);
        assert_eq!(response.header("content-type"), Some("image/svg+xml"));
        let svg = String::from_utf8(response.body).unwrap();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
        assert!(svg.contains(&format!("fill=\"#{paper}\"/>")), "{svg}");
        assert!(svg.contains(&format!("fill=\"#{ink}\"")), "{svg}");
        assert!(svg.ends_with(">AL</text></svg>"), "{svg}");
    }
}

#[actix_web::test]
async fn everybody_has_a_colour_of_their_own_by_their_id() {
    let api = Api::create().await;
    let mut seen = vec![];
    for _ in 0..9 {
        let id = i64::from(a_user().insert_into(api.database()).await.id);
        let svg = read(&api, &id.to_string()).await.expect(200).body;
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
async fn whoever_has_it_already_is_not_sent_it_again_until_the_name_changes() {
    let api = Api::create().await;
    let ana = someone_named(&api, "Ana Lima").await;
    let first = read(&api, &ana).await.expect(200);
    let tag = first.header("etag").unwrap();
    let again = || api.get(&format!("/api/avatar/{ana}")).header("If-None-Match", tag).send();

    let known = again().await.expect(304);
    for response in [&first, &known] {
        assert_eq!(response.header("cache-control"), Some("public, max-age=3600"));
        assert_eq!(response.header("cross-origin-resource-policy"), Some("cross-origin"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("etag"), Some(tag));
    }
    assert_eq!(known.body, b"");
    api.database().execute("UPDATE users SET display_name = 'Cat'").await;
    let after = again().await.expect(200);
    assert_ne!(after.header("etag"), Some(tag));
    assert!(tag.starts_with('"'), "{tag}");
    let other = format!("{ana}?color=000000");
    assert_ne!(read(&api, &other).await.header("etag"), after.header("etag"));
}

#[actix_web::test]
async fn a_name_cannot_break_out_of_its_picture() {
    let api = Api::create().await;

    for (name, shown) in
        [("<script>", "S"), ("\"", "&#34;"), ("& <b>", "&#38;"), ("💜", "&#128156;")]
    {
        let id = someone_named(&api, name).await;
        let svg = String::from_utf8(read(&api, &id).await.expect(200).body).unwrap();
        assert!(svg.matches('<').count() == 5 && !svg.contains("script"), "{svg}");
        assert!(svg.contains(shown) || name == "& <b>", "{name}: {svg}");
    }
}

#[actix_web::test]
async fn nobody_has_none() {
    let api = Api::create().await;

    for id in ["0", "-1", "4711", "9223372036854775807"] {
        let refused = read(&api, id).await;
        assert_eq!(
            assert_problem(&refused, 404, "not_found"),
            json!({"resource": "user", "id": id})
        );
    }
    for id in ["ana", "1.5", "9223372036854775808", "%00", "1%2f2"] {
        invalid_fields(&read(&api, id).await);
    }
}

#[actix_web::test]
async fn what_is_no_colour_is_refused() {
    let api = Api::create().await;
    let ana = someone_named(&api, "Ana").await;

    for colour in ["", "red", "7C3AE", "7C3AED0", "%237C3AED", "7C3AEG", "%22/%3E%3Cb%3E", "%00"] {
        let refused = read(&api, &format!("{ana}?color={colour}")).await;
        assert_eq!(invalid_fields(&refused), ["color"], "{colour}");
    }
}

#[actix_web::test]
async fn it_can_only_be_read() {
    let api = Api::create().await;
    let ana = someone_named(&api, "Ana").await;
    let path = format!("/api/avatar/{ana}");

    let head = api.request(Method::HEAD, &path).send().await.expect(200);
    assert_eq!(head.header("content-type"), Some("image/svg+xml"));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let refused = api.request(method, &path).send().await;
        assert_problem(&refused, 405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    }
}

/// The id of somebody who is shown like this.
async fn someone_named(api: &Api, name: &str) -> String {
    let id = a_user().insert_into(api.database()).await.id;
    let name = name.replace('\'', "''");
    api.database()
        .execute(&format!("UPDATE users SET display_name = '{name}' WHERE id = {id}"))
        .await;
    id.to_string()
}

async fn read(api: &Api, path: &str) -> ApiResponse {
    api.get(&format!("/api/avatar/{path}")).send().await
}
