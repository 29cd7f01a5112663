//! `/uploads`: image files.

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
async fn an_image_is_public_and_cacheable_forever() {
    let (api, [ana]) = Api::with_users().await;

    for path in [IMAGE, PHOTO] {
        put_file(&api, path, b"\xff\xd8\xff, a JPEG").await;
        for request in [
            get_file(&api, path),
            get_file(&api, path).by(&ana),
            get_file(&api, path).header("Authorization", "Bearer nonsense"),
        ] {
            let response = request.send().await.expect(200);
            assert_eq!(response.body, b"\xff\xd8\xff, a JPEG");
            for (header, value) in [
                ("content-type", "image/jpeg"),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "cross-origin"),
                ("accept-ranges", "bytes"),
            ] {
                assert_eq!(response.header(header), Some(value), "{path}");
            }
            assert_strong_etag(&response);
            assert_eq!(response.header("content-disposition"), None);
        }
    }
}

#[actix_web::test]
async fn head_responds_with_the_headers_of_the_whole_file() {
    let api = Api::create().await;
    put_file(&api, IMAGE, b"0123456789").await;
    let whole = get_file(&api, IMAGE).send().await.expect(200);

    for request in [
        api.request(Method::HEAD, &path_of(IMAGE)),
        // Range applies to GET only (RFC 9110, 14.2).
        api.request(Method::HEAD, &path_of(IMAGE)).header("Range", "bytes=0-3"),
        api.request(Method::HEAD, &path_of(IMAGE)).header("Range", "bytes=99-"),
    ] {
        let head = request.send().await.expect(200);
        for header in ["content-type", "etag", "cache-control", "accept-ranges", "content-range"] {
            assert_eq!(head.header(header), whole.header(header), "{header}");
        }
    }
    let missing = api.request(Method::HEAD, "/uploads/posts/nothing.jpg").send().await;
    missing.expect(404);
}

#[actix_web::test]
async fn an_unchanged_file_is_not_sent_again() {
    let api = Api::create().await;
    put_file(&api, IMAGE, b"0123456789").await;
    let tag = get_file(&api, IMAGE).send().await.header("etag").unwrap().to_owned();

    for if_none_match in [tag.clone(), format!("W/{tag}"), format!("\"a\", {tag}"), "*".to_owned()]
    {
        for request in [get_file(&api, IMAGE), get_file(&api, IMAGE).header("Range", "bytes=0-3")] {
            let response = request.header("If-None-Match", &if_none_match).send().await.expect(304);
            assert_eq!(response.body, b"");
            assert_eq!(response.header("etag"), Some(&*tag));
            assert_eq!(
                response.header("cache-control"),
                Some("public, max-age=31536000, immutable")
            );
        }
    }
    for other in ["\"a\"", "a", "", "\"\""] {
        get_file(&api, IMAGE).header("If-None-Match", other).send().await.expect(200);
    }
}

#[rstest]
#[case::prefix("bytes=0-3", "bytes 0-3/10", "0123")]
#[case::one_byte("bytes=5-5", "bytes 5-5/10", "5")]
#[case::open_end("bytes=7-", "bytes 7-9/10", "789")]
#[case::suffix("bytes=-2", "bytes 8-9/10", "89")]
#[case::suffix_longer_than_the_file("bytes=-99", "bytes 0-9/10", "0123456789")]
#[case::end_beyond_the_file("bytes=8-99", "bytes 8-9/10", "89")]
#[actix_web::test]
async fn a_single_range_gets_206(
    #[case] range: &str,
    #[case] content_range: &str,
    #[case] content: &str,
) {
    for api in apis_on_both_stores().await {
        let api = api.0;
        put_file(&api, IMAGE, b"0123456789").await;

        let response = get_file(&api, IMAGE).header("Range", range).send().await.expect(206);

        assert_eq!(response.header("content-range"), Some(content_range));
        assert_eq!(response.body, content.as_bytes());
        assert_eq!(response.header("content-type"), Some("image/jpeg"));
        assert_strong_etag(&response);
    }
}

#[rstest]
#[case::several_ranges("bytes=0-1,4-5")]
#[case::other_units("items=0-3")]
#[case::not_numeric("bytes=a-b")]
#[case::empty_range("bytes=")]
#[case::empty_header("")]
#[actix_web::test]
async fn unsupported_ranges_get_the_whole_file(#[case] range: &str) {
    let api = Api::create().await;
    put_file(&api, IMAGE, b"0123456789").await;

    let response = get_file(&api, IMAGE).header("Range", range).send().await.expect(200);

    assert_eq!(response.header("content-range"), None);
    assert_eq!(response.body, b"0123456789");
}

#[rstest]
#[case::start_at_the_end("bytes=10-")]
#[case::start_beyond_the_end("bytes=99-100")]
#[case::empty_suffix("bytes=-0")]
#[case::largest_integer("bytes=18446744073709551615-")]
#[actix_web::test]
async fn an_unsatisfiable_range_gets_416(#[case] range: &str) {
    let api = Api::create().await;
    put_file(&api, IMAGE, b"0123456789").await;

    let response = get_file(&api, IMAGE).header("Range", range).send().await;

    assert_eq!(assert_problem(&response, 416, "range_not_satisfiable"), json!({}));
    assert_eq!(response.header("content-range"), Some("bytes */10"));
}

#[actix_web::test]
async fn if_range_with_another_validator_gets_the_whole_file() {
    let api = Api::create().await;
    put_file(&api, IMAGE, b"0123456789").await;
    let tag = get_file(&api, IMAGE).send().await.header("etag").unwrap().to_owned();
    let range = |validator: &str| {
        get_file(&api, IMAGE).header("Range", "bytes=0-3").header("If-Range", validator)
    };

    range(&tag).send().await.expect(206);
    for validator in [
        "\"another\"".to_owned(),
        format!("W/{tag}"),
        "Mon, 05 Jan 2026 12:00:00 GMT".to_owned(),
        "nonsense".to_owned(),
    ] {
        let response = range(&validator).send().await.expect(200);
        assert_eq!(response.body, b"0123456789", "{validator}");
    }
}

#[actix_web::test]
async fn images_are_typed_by_their_content_and_not_by_their_name() {
    for (api, _folder) in apis_on_both_stores().await {
        let webp = b"RIFF\x1a\0\0\0WEBPVP8L";
        for (path, content, content_type) in [
            ("logo.png", &a_png(9, 9)[..], "image/png"),
            ("about.txt", &a_png(9, 9), "image/png"),
            ("a/b/c.bin", webp, "image/webp"),
            ("posts/mine.jpg", b"\xff\xd8\xff", "image/jpeg"),
        ] {
            put_file(&api, path, content).await;
            let response = get_file(&api, path).send().await.expect(200);
            assert_eq!(response.header("content-type"), Some(content_type), "{path}");
            assert_eq!(response.header("content-disposition"), None);
            // The file may be replaced under the same name.
            assert_eq!(response.header("cache-control"), Some("public, no-cache"));
            assert_eq!(response.body, content);
        }
    }
}

#[actix_web::test]
async fn files_that_are_not_images_are_sent_as_attachments() {
    for (api, _folder) in apis_on_both_stores().await {
        for (path, content) in [
            ("index.html", &b"<script>alert(1)</script>"[..]),
            ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            ("fake.jpg", b"<html>"),
            ("short", b"x"),
            ("empty.txt", b""),
        ] {
            put_file(&api, path, content).await;
            let response = get_file(&api, path).send().await.expect(200);
            assert_eq!(response.header("content-type"), Some("application/octet-stream"), "{path}");
            assert_eq!(response.header("content-disposition"), Some("attachment"));
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(response.body, content);
        }
        let range = get_file(&api, "empty.txt").header("Range", "bytes=0-").send().await;
        assert_eq!(range.header("content-range"), Some("bytes */0"));
        assert_problem(&range, 416, "range_not_satisfiable");
    }
}

#[actix_web::test]
async fn a_replaced_file_has_a_new_etag() {
    let (api, _folder) = api_on_folder().await;
    put_file(&api, "logo.png", &a_png(9, 9)).await;
    let before = get_file(&api, "logo.png").send().await.expect(200);
    put_file(&api, "logo.png", &a_png(8, 8)).await;

    let old_tag = before.header("etag").unwrap();
    let after =
        get_file(&api, "logo.png").header("If-None-Match", old_tag).send().await.expect(200);

    assert_ne!(after.header("etag"), Some(old_tag));
    assert_strong_etag(&after);
}

#[actix_web::test]
async fn files_outside_the_folder_and_hidden_files_are_not_served() {
    let (api, folder) = api_on_folder().await;
    let outside = folder.path().parent().unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    std::fs::write(folder.path().join(".gitkeep"), "hidden").unwrap();
    std::fs::create_dir_all(folder.path().join("posts/.git")).unwrap();
    std::fs::write(folder.path().join("posts/.git/config"), "hidden").unwrap();
    std::fs::write(folder.path().join(format!("{IMAGE}#1")), "incomplete").unwrap();
    assert!(outside.exists());
    put_file(&api, "posts/there.jpg", b"there").await;
    get_file(&api, "posts/there.jpg").send().await.expect(200);

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
        // Paths without a file name match no route.
        let expected = if path.trim_matches('/').is_empty() { "route" } else { "file" };
        assert_eq!(details["resource"], expected, "{path}");
    }
    api.get("/uploads").send().await.expect(404);
}

/// Operators may keep images on another disk. A user who can create links in the folder can already read their targets.
#[actix_web::test]
async fn symbolic_links_in_the_folder_are_followed() {
    let (api, folder) = api_on_folder().await;
    let target = tempfile::tempdir().unwrap();
    std::fs::write(target.path().join("logo.png"), a_png(9, 9)).unwrap();
    std::os::unix::fs::symlink(target.path(), folder.path().join("more")).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path().join("broken")).unwrap();

    let linked = get_file(&api, "more/logo.png").send().await.expect(200);
    let broken = get_file(&api, "broken").send().await;

    assert_eq!(linked.header("content-type"), Some("image/png"));
    assert_problem(&broken, 404, "not_found");
}

#[actix_web::test]
async fn files_cannot_be_created_or_deleted() {
    let (api, [ana]) = Api::with_users().await;
    put_file(&api, IMAGE, b"0123456789").await;

    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in [&path_of(IMAGE), "/uploads/nothing.jpg", "/uploads/..%2fx"] {
            let response = api.request(method.clone(), path).by(&ana).json_bytes("{}").send().await;
            assert_problem(&response, 405, "method_not_allowed");
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
        }
    }
    get_file(&api, IMAGE).send().await.expect(200);
}

#[actix_web::test]
async fn an_unreadable_file_is_unavailable_and_its_path_is_not_revealed() {
    let (api, folder) = api_on_folder().await;
    // A link to itself fails differently from a missing file.
    std::os::unix::fs::symlink("loop", folder.path().join("loop")).unwrap();

    let response = get_file(&api, "loop").send().await;

    assert_eq!(assert_problem(&response, 503, "unavailable"), json!({}));
    assert!(!String::from_utf8_lossy(&response.body).contains(folder.path().to_str().unwrap()));
}

/// Returns an API with files in memory, and one with files in a folder.
async fn apis_on_both_stores() -> [(Api, Option<TempDir>); 2] {
    let (api, folder) = api_on_folder().await;
    [(Api::create().await, None), (api, Some(folder))]
}

async fn api_on_folder() -> (Api, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut app = TestApp::create().await;
    app.app.files = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    (Api::serve(app, &WebConfig::default()).await, folder)
}

async fn put_file(api: &Api, path: &str, content: &[u8]) {
    let bytes = content.to_vec().into();
    api.app.app.files.put(&Path::parse(path).unwrap(), bytes).await.unwrap();
}

fn path_of(path: &str) -> String {
    format!("/uploads/{path}")
}

fn get_file<'a>(api: &'a Api, path: &str) -> grateful_testkit::ApiRequest<'a> {
    api.get(&path_of(path))
}

#[track_caller]
fn assert_strong_etag(response: &ApiResponse) {
    let tag = response.header("etag").unwrap_or_default();
    assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
}
