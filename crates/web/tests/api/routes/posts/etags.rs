//! The `ETag` of a post, and conditional requests (docs/http-api.md#etags).

use actix_web::http::Method;
use chrono::TimeDelta;
use grateful_testkit::{Api, ApiResponse, Caller, a_post};
use serde_json::json;

use crate::support::{assert_problem, create_post, post_path, post_subpath};

#[actix_web::test]
async fn the_etag_is_strong_and_has_the_revision_and_a_digest() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);

    let tag = etag_of(&api.get(&path).send().await.expect(200));

    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap();
    let (revision, digest) = opaque.split_once('-').unwrap();
    for part in [revision, digest] {
        assert!(!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    }
}

#[actix_web::test]
async fn every_edit_changes_the_revision_even_if_the_clock_stands_still() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let mut seen = vec![revision_of(&api.get(&path).send().await.expect(200))];

    for title in ["One", "Two", "One"] {
        let patch = json!({"title": title});
        let response = api.patch(&path).by(&ana).json(&patch).send().await.expect(200);
        assert!(!seen.contains(&revision_of(&response)));
        seen.push(revision_of(&response));
        let read = api.get(&path).by(&ana).send().await.expect(200);
        assert_eq!(etag_of(&read), etag_of(&response));
    }
}

#[actix_web::test]
async fn an_edit_without_changes_keeps_the_etag() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let before = api.get(&path).send().await.expect(200);
    api.app.clock.advance(TimeDelta::minutes(1));

    for patch in [json!({}), json!({"content": "For rain.\r\n", "title": null})] {
        let after = api.patch(&path).by(&ana).json(&patch).send().await.expect(200);
        assert_eq!(after.header("etag"), before.header("etag"));
        assert_eq!(after.json(), before.json());
    }
}

#[actix_web::test]
async fn everything_that_the_viewer_sees_changes_the_etag_but_not_the_revision() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = create_post(&api, &ana, "For rain.").await;
    let path = post_path(&post);
    let read = async || api.get(&path).by(&ana).send().await.expect(200);
    let mut seen = vec![etag_of(&read().await)];
    let revision = revision_of(&read().await);

    let acts = [
        (Method::POST, "heart", json!({})),
        (Method::DELETE, "heart", json!({})),
        (Method::POST, "reactions", json!({"emoji_code": "hug"})),
        (Method::POST, "share", json!({"share_method": "url"})),
        (Method::POST, "comments", json!({"content": "A"})),
    ];
    for (by, number) in [(&ben, 0), (&ana, 1)] {
        for (method, rest, body) in &acts {
            let sent = api.request(method.clone(), &post_subpath(&post, rest)).by(by).json(body);
            assert!(sent.send().await.status.is_success(), "{method} {rest}");
            let after = read().await;
            assert_eq!(revision_of(&after), revision, "{method} {rest}");
            let is_undone = *method == Method::DELETE;
            assert_eq!(seen.contains(&etag_of(&after)), is_undone, "{number} {method} {rest}");
            seen.push(etag_of(&after));
        }
    }
    let sql = "UPDATE users SET display_name = 'Ana'";
    api.database().execute(sql).await;
    assert!(!seen.contains(&etag_of(&read().await)), "the author's name is part of the body");
}

#[actix_web::test]
async fn viewers_who_see_different_bodies_have_different_etags_and_the_same_revision() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    let path = post_path(post);
    api.post(&post_subpath(post, "heart")).by(&ana).send().await.expect(201);

    let by_ana = api.get(&path).by(&ana).send().await.expect(200);
    let by_ben = api.get(&path).by(&ben).send().await.expect(200);
    let by_guest = api.get(&path).send().await.expect(200);

    assert_ne!(etag_of(&by_ana), etag_of(&by_ben));
    assert_eq!(etag_of(&by_guest), etag_of(&by_ben), "both see the same");
    assert_eq!(revision_of(&by_ana), revision_of(&by_ben));
    let request = api.get(&path).by(&ben).header("If-None-Match", &etag_of(&by_ana));
    assert_eq!(request.send().await.expect(200).json()["is_hearted"], false);
}

#[actix_web::test]
async fn a_post_is_revalidated_and_not_reused_for_another_account() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let read = api.get(&path).by(&ana).send().await.expect(200);
    let tag = etag_of(&read);
    let unchanged = api.get(&path).by(&ana).header("If-None-Match", &tag).send().await.expect(304);
    let patched = api.patch(&path).by(&ana).json(&json!({})).send().await.expect(200);
    let to_guest = api.get(&path).send().await.expect(200);

    for response in [read, unchanged, patched, to_guest] {
        assert_eq!(response.header("cache-control"), Some("private, no-cache"));
        let vary = response.header("vary").unwrap_or_default().to_lowercase();
        let vary: Vec<&str> = vary.split(", ").collect();
        assert!(vary.contains(&"authorization") && vary.contains(&"origin"), "{vary:?}");
    }
}

#[actix_web::test]
async fn other_responses_for_one_viewer_are_not_stored() {
    let (api, [ana]) = Api::with_users().await;
    let post = create_post(&api, &ana, "For rain.").await;

    for path in [
        "/api/v1/posts/feed",
        "/api/v1/posts/trending",
        "/api/v1/users/me/profile",
        "/api/v1/users/me/posts",
        "/api/v1/notifications",
        "/api/v1/auth/session",
        &post_subpath(&post, "hearts"),
        &post_subpath(&post, "comments"),
        &post_subpath(&post, "reactions/summary"),
    ] {
        let response = api.get(path).by(&ana).send().await.expect(200);
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(response.header("etag"), None, "{path}");
    }
}

#[actix_web::test]
async fn an_unchanged_post_gets_304_without_a_body() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let tag = etag_of(&api.get(&path).send().await.expect(200));
    let revision = format!("\"{}\"", revision(&tag));

    for (if_none_match, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!(r#""other", {tag}"#), 304),
        ("*".to_owned(), 304),
        (r#""other""#.to_owned(), 200),
        (revision, 200),
        (tag.trim_matches('"').to_owned(), 200),
        (String::new(), 200),
        ("\"".to_owned(), 200),
        ("W/".to_owned(), 200),
    ] {
        let response =
            api.get(&path).header("If-None-Match", &if_none_match).send().await.expect(status);
        assert_eq!(etag_of(&response), tag, "{if_none_match}");
        assert_eq!(response.body.is_empty(), status == 304);
    }
}

#[actix_web::test]
async fn an_edit_and_a_deletion_require_a_matching_if_match() {
    let (api, [ana]) = Api::with_users().await;
    let path = post_path(create_post(&api, &ana, "For rain.").await);
    let edit = async |if_match: &str, title: &str| {
        let patch = json!({"title": title});
        api.patch(&path).by(&ana).header("If-Match", if_match).json(&patch).send().await
    };
    let delete =
        async |if_match: &str| api.delete(&path).by(&ana).header("If-Match", if_match).send().await;
    let tag = async || etag_of(&api.get(&path).send().await.expect(200));
    let old_tag = tag().await;

    edit(&old_tag, "One").await.expect(200);
    edit(&format!(r#""other", {}"#, tag().await), "Two").await.expect(200);
    edit("*", "Three").await.expect(200);

    let current_tag = tag().await;
    for if_match in [
        old_tag,
        r#""other""#.to_owned(),
        format!("W/{current_tag}"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        for response in [edit(&if_match, "Four").await, delete(&if_match).await] {
            let details = assert_problem(&response, 412, "precondition_failed");
            assert_eq!(details, json!({}), "{if_match}");
        }
    }
    assert_eq!(tag().await, current_tag);
    delete(&current_tag).await.expect(204);
    api.get(&path).by(&ana).send().await.expect(404);
}

#[actix_web::test]
async fn a_heart_of_another_user_does_not_prevent_an_edit_or_a_deletion() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = create_post(&api, &ana, "For rain.").await;
    let path = post_path(&post);
    let as_ana = etag_of(&api.get(&path).by(&ana).send().await.expect(200));
    api.post(&post_subpath(&post, "heart")).by(&ben).send().await.expect(201);

    let edit = api.patch(&path).by(&ana).header("If-Match", &as_ana).json(&json!({"title": "A"}));
    let edited = edit.send().await.expect(200);
    let any = api.delete(&path).by(&ana).header("If-Match", "*");

    api.delete(&post_subpath(&post, "heart")).by(&ben).send().await.expect(200);
    let delete = api.delete(&path).by(&ana).header("If-Match", &etag_of(&edited));
    delete.send().await.expect(204);
    any.send().await.expect(404);
}

#[actix_web::test]
async fn conditional_requests_do_not_reveal_invisible_posts() {
    let (api, [ana, ben]) = Api::with_users().await;
    let private = a_post().by(ana.user.id).private().insert_into(api.database()).await;
    let public = a_post().by(ana.user.id).insert_into(api.database()).await;

    for (id, status) in [(private.id.to_string(), 404), (public.id.to_string(), 403)] {
        for if_match in ["*", "\"x\""] {
            let request = api.patch(&post_path(&id)).by(&ben).header("If-Match", if_match);
            request.json(&json!({"title": "x"})).send().await.expect(status);
            delete_if(&api, &ben, &id, if_match).await.expect(status);
        }
        let read = api.get(&post_path(&id)).by(&ben).header("If-None-Match", "*").send().await;
        read.expect(if status == 404 { 404 } else { 304 });
    }
}

async fn delete_if(api: &Api, caller: &Caller, post: &str, if_match: &str) -> ApiResponse {
    api.delete(&post_path(post)).by(caller).header("If-Match", if_match).send().await
}

fn etag_of(response: &ApiResponse) -> String {
    response.header("etag").unwrap().to_owned()
}

fn revision_of(response: &ApiResponse) -> String {
    revision(&etag_of(response)).to_owned()
}

/// The part of a tag before the digest.
fn revision(tag: &str) -> &str {
    tag.trim_matches('"').split('-').next().unwrap()
}
