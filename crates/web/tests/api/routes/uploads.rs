//! `/uploads`: the files of pictures, for everybody.

use std::sync::Arc;

use actix_web::http::Method;
use grateful_testkit::{Api, ApiResponse, TestApp, a_png};
use grateful_web::WebConfig;
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use crate::support::assert_problem;

const IMAGE: &str = "posts/01937b5e-7c2a-7000-8000-000000000001.jpg";
const PHOTO: &str = "profile_photos/profile_01937b5e-7c2a-7000-8000-000000000001_small.jpg";

#[actix_web::test]
async fn a_picture_is_served_to_everybody_for_ever() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for path in [IMAGE, PHOTO] {
        put(&api, path, b"\xff\xd8\xff, it says").await;
        for request in [
            read(&api, path),
            read(&api, path).by(&ana),
            read(&api, path).header("Authorization", "Bearer nonsense"),
        ] {
            let response = request.send().await.expect(200);
            assert_eq!(response.body, b"\xff\xd8\xff, it says");
            for (header, value) in [
                ("content-type", "image/jpeg"),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "cross-origin"),
                ("accept-ranges", "bytes"),
            ] {
                assert_eq!(response.header(header), Some(value), "{path}");
            }
            assert_strong(&response);
            assert_eq!(response.header("content-disposition"), None);
        }
    }
}

#[actix_web::test]
async fn the_head_of_a_file_is_that_of_the_file() {
    let api = Api::create().await;
    put(&api, IMAGE, b"0123456789").await;
    let whole = read(&api, IMAGE).send().await.expect(200);

    for request in [
        api.request(Method::HEAD, &url(IMAGE)),
        // Parts are for GET alone (RFC 9110, 14.2).
        api.request(Method::HEAD, &url(IMAGE)).header("Range", "bytes=0-3"),
        api.request(Method::HEAD, &url(IMAGE)).header("Range", "bytes=99-"),
    ] {
        let head = request.send().await.expect(200);
        for header in ["content-type", "etag", "cache-control", "accept-ranges", "content-range"] {
            assert_eq!(head.header(header), whole.header(header), "{header}");
        }
    }
    let absent = api.request(Method::HEAD, "/uploads/posts/nothing.jpg").send().await;
    absent.expect(404);
}

#[actix_web::test]
async fn whoever_has_a_file_already_is_not_sent_it_again() {
    let api = Api::create().await;
    put(&api, IMAGE, b"0123456789").await;
    let tag = read(&api, IMAGE).send().await.header("etag").unwrap().to_owned();

    for known in [tag.clone(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".to_owned()] {
        for request in [read(&api, IMAGE), read(&api, IMAGE).header("Range", "bytes=0-3")] {
            let response = request.header("If-None-Match", &known).send().await.expect(304);
            assert_eq!(response.body, b"");
            assert_eq!(response.header("etag"), Some(&*tag));
            assert_eq!(
                response.header("cache-control"),
                Some("public, max-age=31536000, immutable")
            );
        }
    }
    for other in ["\"a\"", "a", "", "\"\""] {
        read(&api, IMAGE).header("If-None-Match", other).send().await.expect(200);
    }
}

#[rstest]
#[case::the_beginning("bytes=0-3", "bytes 0-3/10", "0123")]
#[case::one_byte("bytes=5-5", "bytes 5-5/10", "5")]
#[case::the_rest("bytes=7-", "bytes 7-9/10", "789")]
#[case::the_end("bytes=-2", "bytes 8-9/10", "89")]
#[case::more_than_the_end("bytes=-99", "bytes 0-9/10", "0123456789")]
#[case::beyond_the_end("bytes=8-99", "bytes 8-9/10", "89")]
#[actix_web::test]
async fn a_part_is_sent_as_a_part(#[case] range: &str, #[case] said: &str, #[case] part: &str) {
    for api in both().await {
        let api = api.0;
        put(&api, IMAGE, b"0123456789").await;

        let response = read(&api, IMAGE).header("Range", range).send().await.expect(206);

        assert_eq!(response.header("content-range"), Some(said));
        assert_eq!(response.body, part.as_bytes());
        assert_eq!(response.header("content-type"), Some("image/jpeg"));
        assert_strong(&response);
    }
}

#[rstest]
#[case::several("bytes=0-1,4-5")]
#[case::other_units("items=0-3")]
#[case::no_numbers("bytes=a-b")]
#[case::no_range("bytes=")]
#[case::nothing("")]
#[actix_web::test]
async fn what_is_no_single_part_gets_the_whole(#[case] range: &str) {
    let api = Api::create().await;
    put(&api, IMAGE, b"0123456789").await;

    let response = read(&api, IMAGE).header("Range", range).send().await.expect(200);

    assert_eq!(response.header("content-range"), None);
    assert_eq!(response.body, b"0123456789");
}

#[rstest]
#[case::behind_the_end("bytes=10-")]
#[case::far_behind("bytes=99-100")]
#[case::none_of_the_end("bytes=-0")]
#[case::as_far_as_numbers_go("bytes=18446744073709551615-")]
#[actix_web::test]
async fn what_is_not_there_cannot_be_sent(#[case] range: &str) {
    let api = Api::create().await;
    put(&api, IMAGE, b"0123456789").await;

    let response = read(&api, IMAGE).header("Range", range).send().await;

    assert_eq!(assert_problem(&response, 416, "range_not_satisfiable"), json!({}));
    assert_eq!(response.header("content-range"), Some("bytes */10"));
}

#[actix_web::test]
async fn a_part_of_another_state_is_not_sent() {
    let api = Api::create().await;
    put(&api, IMAGE, b"0123456789").await;
    let tag = read(&api, IMAGE).send().await.header("etag").unwrap().to_owned();
    let part =
        |state: &str| read(&api, IMAGE).header("Range", "bytes=0-3").header("If-Range", state);

    part(&tag).send().await.expect(206);
    for state in [
        "\"another\"".to_owned(),
        format!("W/{tag}"),
        "Mon, 05 Jan 2026 12:00:00 GMT".to_owned(),
        "nonsense".to_owned(),
    ] {
        let response = part(&state).send().await.expect(200);
        assert_eq!(response.body, b"0123456789", "{state}");
    }
}

#[actix_web::test]
async fn a_file_that_is_none_of_ours_is_what_it_begins_like() {
    for (api, _folder) in both().await {
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L";
        for (path, content, named) in [
            ("logo.png", &a_png(9, 9)[..], "image/png"),
            ("about.txt", &a_png(9, 9), "image/png"),
            ("a/b/c.bin", webp, "image/webp"),
            ("posts/mine.jpg", b"\xff\xd8\xff", "image/jpeg"),
        ] {
            put(&api, path, content).await;
            let response = read(&api, path).send().await.expect(200);
            assert_eq!(response.header("content-type"), Some(named), "{path}");
            assert_eq!(response.header("content-disposition"), None);
            // It may be replaced under its name.
            assert_eq!(response.header("cache-control"), Some("public, no-cache"));
            assert_eq!(response.body, content);
        }
    }
}

#[actix_web::test]
async fn what_is_no_picture_is_no_page_of_this_server() {
    for (api, _folder) in both().await {
        for (path, content) in [
            ("index.html", &b"<script>alert(1)</script>"[..]),
            ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            ("fake.jpg", b"<html>"),
            ("short", b"x"),
            ("empty.txt", b""),
        ] {
            put(&api, path, content).await;
            let response = read(&api, path).send().await.expect(200);
            assert_eq!(response.header("content-type"), Some("application/octet-stream"), "{path}");
            assert_eq!(response.header("content-disposition"), Some("attachment"));
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(response.body, content);
        }
        let part = read(&api, "empty.txt").header("Range", "bytes=0-").send().await;
        assert_eq!(part.header("content-range"), Some("bytes */0"));
        assert_problem(&part, 416, "range_not_satisfiable");
    }
}

#[actix_web::test]
async fn a_file_that_was_replaced_has_another_tag() {
    let (api, _folder) = in_a_folder().await;
    put(&api, "logo.png", &a_png(9, 9)).await;
    let before = read(&api, "logo.png").send().await.expect(200);
    put(&api, "logo.png", &a_png(8, 8)).await;

    let known = before.header("etag").unwrap();
    let after = read(&api, "logo.png").header("If-None-Match", known).send().await.expect(200);

    assert_ne!(after.header("etag"), Some(known));
    assert_strong(&after);
}

#[actix_web::test]
async fn nothing_outside_the_folder_or_hidden_in_it_is_served() {
    let (api, folder) = in_a_folder().await;
    let outside = folder.path().parent().unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    std::fs::write(folder.path().join(".gitkeep"), "hidden").unwrap();
    std::fs::create_dir_all(folder.path().join("posts/.git")).unwrap();
    std::fs::write(folder.path().join("posts/.git/config"), "hidden").unwrap();
    std::fs::write(folder.path().join(format!("{IMAGE}#1")), "half a picture").unwrap();
    assert!(outside.exists());
    put(&api, "posts/there.jpg", b"there").await;
    read(&api, "posts/there.jpg").send().await.expect(200);

    for path in [
        "",
        "/",
        ".",
        "..",
        ".gitkeep",
        "posts",
        "posts/",
        "posts/.git/config",
        "posts/%2egit/config",
        "nothing.jpg",
        "posts/there.jpg/more",
        "posts/there.jpg%00",
        "posts/there.jpg%00.png",
        "%00",
        "../etc/passwd",
        "../../../../../../../../etc/passwd",
        "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..%5cetc%5cpasswd",
        "%252e%252e/etc/passwd",
        "posts/../.gitkeep",
        "posts/./there.jpg",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "%ff%fe",
        "posts/%c0%ae%c0%ae/x",
        &format!("../{name}/posts/there.jpg"),
        &format!("{IMAGE}%231"),
        &"x".repeat(256),
        &"x".repeat(4_000),
        &"x/".repeat(2_000),
        &"%e2%82%ac".repeat(100),
    ] {
        let response = api.get(&format!("/uploads/{path}")).send().await;
        let details = assert_problem(&response, 404, "not_found");
        // What is no path below it is no file either.
        let expected = if path.trim_matches('/').is_empty() { "route" } else { "file" };
        assert_eq!(details["resource"], expected, "{path}");
    }
    api.get("/uploads").send().await.expect(404);
}

/// Whoever can put one there can read what it leads to anyway; pictures are on another disk, for instance.
#[actix_web::test]
async fn a_link_that_the_operator_put_into_the_folder_is_followed() {
    let (api, folder) = in_a_folder().await;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("logo.png"), a_png(9, 9)).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("more")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path().join("broken")).unwrap();

    let there = read(&api, "more/logo.png").send().await.expect(200);
    let broken = read(&api, "broken").send().await;

    assert_eq!(there.header("content-type"), Some("image/png"));
    assert_problem(&broken, 404, "not_found");
}

#[actix_web::test]
async fn nothing_can_be_put_there_or_taken_away() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    put(&api, IMAGE, b"0123456789").await;

    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in [&url(IMAGE), "/uploads/nothing.jpg", "/uploads/..%2fx"] {
            let refused = api.request(method.clone(), path).by(&ana).json_bytes("{}").send().await;
            assert_problem(&refused, 405, "method_not_allowed");
            assert_eq!(refused.header("allow"), Some("GET, HEAD"));
        }
    }
    read(&api, IMAGE).send().await.expect(200);
}

#[actix_web::test]
async fn a_folder_that_cannot_be_read_is_a_trouble_of_ours_that_may_pass() {
    let (api, folder) = in_a_folder().await;
    // A link to itself leads nowhere, and not as an absent file does.
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();

    let refused = read(&api, "loop").send().await;

    assert_eq!(assert_problem(&refused, 503, "unavailable"), json!({}));
    assert!(!String::from_utf8_lossy(&refused.body).contains(folder.path().to_str().unwrap()));
}

/// Files in memory, and in a folder as a server has them.
async fn both() -> [(Api, Option<TempDir>); 2] {
    let (api, folder) = in_a_folder().await;
    [(Api::create().await, None), (api, Some(folder))]
}

async fn in_a_folder() -> (Api, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut app = TestApp::create().await;
    app.app.files = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    (Api::serve(app, &WebConfig::default()).await, folder)
}

async fn put(api: &Api, path: &str, content: &[u8]) {
    let bytes = content.to_vec().into();
    api.app.app.files.put(&Path::parse(path).unwrap(), bytes).await.unwrap();
}

fn url(path: &str) -> String {
    format!("/uploads/{path}")
}

fn read<'a>(api: &'a Api, path: &str) -> grateful_testkit::ApiRequest<'a> {
    api.get(&url(path))
}

#[track_caller]
fn assert_strong(response: &ApiResponse) {
    let tag = response.header("etag").unwrap_or_default();
    assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
}
