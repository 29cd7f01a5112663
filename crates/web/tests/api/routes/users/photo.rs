//! `/api/v1/users/me/profile/photo`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use chrono::TimeDelta;
use futures_util::{StreamExt as _, stream};
use grateful_application::ImageProcessor;
use grateful_domain::Colour;
use grateful_testkit::{
    Api, ApiResponse, BOUNDARY, Caller, TestApp, a_large_png, a_png, multipart_form,
};
use grateful_web::{RateLimitsConfig, WebConfig};
use rstest::rstest;
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::{EndlessBody, assert_problem, envelope_data, invalid_fields, sorted_keys};

const PHOTO: &str = "/api/v1/users/me/profile/photo";

/// The maximum size of a file in bytes (docs/rules.md#images).
const LIMIT: usize = 5_242_880;

const SIZES: [&str; 4] = ["large", "medium", "small", "thumbnail"];

#[actix_web::test]
async fn an_uploaded_photo_is_public_in_four_sizes() {
    let (api, [ana]) = Api::with_users().await;

    let photo = envelope_data(&upload(&api, &ana, &a_png(300, 200)).await.expect(200));

    assert_eq!(sorted_keys(&photo), ["filename", "profile_image_url", "success", "urls"]);
    let name = photo["filename"].as_str().unwrap();
    assert_eq!(photo["success"], true);
    assert_eq!(sorted_keys(&photo["urls"]), SIZES);
    assert_eq!(photo["profile_image_url"], photo["urls"]["medium"]);
    for size in SIZES {
        let url = photo["urls"][size].as_str().unwrap();
        assert_eq!(url, format!("/uploads/profile_photos/{name}_{size}.jpg"));
        let file = api.get(url).send().await.expect(200);
        assert_eq!(file.header("content-type"), Some("image/jpeg"));
        assert!(file.body.starts_with(&[0xFF, 0xD8, 0xFF]), "{size}");
    }
    let id = name.strip_prefix("profile_").unwrap();
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().to_string(), id);
}

#[actix_web::test]
async fn the_photo_is_shown_in_the_profile_and_with_posts() {
    let (api, [ana, ben]) = Api::with_users().await;
    let medium =
        upload(&api, &ana, &a_png(9, 9)).await.expect(200).data()["profile_image_url"].take();

    let profile = format!("/api/v1/users/{}/profile", ana.user.id);
    let profile = api.get(&profile).by(&ben).send().await.expect(200).data();
    let post = json!({"content": "For rain."});
    let post = api.post("/api/v1/posts").by(&ana).json(&post).send().await.expect(201).json();

    assert_eq!(profile["profile_image_url"], medium);
    assert_eq!(post["author"]["profile_image_url"], medium);
    assert_eq!(post["author"]["image"], medium);
    let other_profile =
        api.get("/api/v1/users/me/profile").by(&ben).send().await.expect(200).data();
    assert_eq!(other_profile["profile_image_url"], Value::Null);
}

#[actix_web::test]
async fn a_photo_can_be_deleted_once() {
    let (api, [ana]) = Api::with_users().await;
    let photo = upload(&api, &ana, &a_png(9, 9)).await.expect(200).data();

    let deleted = api.delete(PHOTO).by(&ana).send().await.expect(200);
    let again = api.delete(PHOTO).by(&ana).send().await;

    assert_eq!(envelope_data(&deleted), json!({"deleted": true}));
    assert_eq!(assert_problem(&again, 404, "not_found"), json!({"resource": "photo"}));
    assert_status_of_files(&api, &photo, 404).await;
    let profile = api.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();
    assert_eq!(profile["profile_image_url"], Value::Null);
}

#[actix_web::test]
async fn the_default_photo_is_an_avatar() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.get(&format!("{PHOTO}/default")).by(&ana).send().await.expect(200);

    let id = ana.user.id;
    let url = format!("/api/avatar/{id}?color={}", Colour::for_user(id));
    assert_eq!(envelope_data(&response), json!({ "avatar_url": url }));
    let avatar = api.get(&url).send().await.expect(200);
    assert_eq!(avatar.header("content-type"), Some("image/svg+xml"));
}

/// No route for photos takes a user id.
#[actix_web::test]
async fn no_route_changes_the_photo_of_another_user() {
    let (api, [ana, ben]) = Api::with_users().await;
    let bens_photo = upload(&api, &ben, &a_png(9, 9)).await.expect(200).data();

    for (method, pattern, _) in operations() {
        if pattern.contains("photo") {
            assert!(pattern.starts_with(PHOTO) && !pattern.contains('{'), "{method} {pattern}");
        }
    }
    upload(&api, &ana, &a_png(9, 9)).await.expect(200);
    api.delete(PHOTO).by(&ana).send().await.expect(200);
    // Other fields of the form are ignored.
    let name = bens_photo["filename"].as_str().unwrap();
    let form: [(&str, &[u8]); 3] =
        [("file", &a_png(9, 9)), ("filename", name.as_bytes()), ("user_id", b"2")];
    let anas_photo = api.post(PHOTO).by(&ana).multipart(&form).send().await.expect(200).data();
    let body = json!({"profile_image_url": bens_photo["profile_image_url"]});
    let profile = api.put("/api/v1/users/me/profile").by(&ana).json(&body).send().await;

    assert_eq!(profile.expect(200).data()["profile_image_url"], anas_photo["profile_image_url"]);
    assert_status_of_files(&api, &bens_photo, 200).await;
}

#[actix_web::test]
async fn the_file_name_and_the_declared_type_are_ignored() {
    let (api, [ana]) = Api::with_users().await;
    let send_as = |file: &[u8], name: &str, content_type: &str| {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {content_type}\r\n\r\n"
        );
        let form = [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        send_raw_form(&api, &ana, form).send()
    };

    for file in [
        &b"GIF89a\x01\0\x01\0\0\0\0;"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"x",
        b"\xff\xd8",
    ] {
        let response = send_as(file, "photo.jpg", "image/jpeg").await;
        let details = assert_problem(&response, 415, "unsupported_media_type");
        assert_eq!(details, json!({"supported": ["image/jpeg", "image/png", "image/webp"]}));
    }
    for (name, content_type) in [
        ("../../etc/passwd", "text/html"),
        ("x.exe", "application/x-msdownload"),
        ("", "image/gif"),
    ] {
        let photo = send_as(&a_png(9, 9), name, content_type).await.expect(200).data();
        assert!(photo["filename"].as_str().unwrap().starts_with("profile_"));
    }
}

#[actix_web::test]
async fn invalid_images_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let png = a_png(60, 60);

    for (file, reason) in [
        (a_large_png(8_000, 8_000), "megapixels"),
        (a_large_png(12_001, 8), "the maximum side is 12000 pixels"),
        (png[..png.len() / 2].to_vec(), "damaged"),
        ([&png[..40], &[0; 400]].concat(), "damaged"),
        (b"\xff\xd8\xff\xe0no more than that".to_vec(), "damaged"),
    ] {
        let response = upload(&api, &ana, &file).await;
        assert_eq!(invalid_fields(&response), ["file"]);
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("file: ") && detail.contains(reason), "{detail}");
    }
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn a_form_without_a_file_is_rejected() {
    let (api, [ana]) = Api::with_users().await;

    for form in [&[][..], &[("focus", &b"0.5,0.5"[..])], &[("file", b"")], &[("image", b"")]] {
        let response = api.post(PHOTO).by(&ana).multipart(form).send().await;
        assert_eq!(invalid_fields(&response), ["file"]);
        assert_eq!(response.json()["detail"], "file: is required");
    }
}

#[actix_web::test]
async fn the_focus_is_two_numbers_from_0_to_1() {
    let (api, [ana]) = Api::with_users().await;
    let upload_with = |focus: &[u8]| {
        let form = [("file", &a_png(9, 9)[..]), ("focus", focus)];
        api.post(PHOTO).by(&ana).multipart(&form).send()
    };

    for focus in ["0,0", "1,1", " 0.5 , 0.25 ", "", "  "] {
        upload_with(focus.as_bytes()).await.expect(200);
    }
    for focus in [
        "0.5",
        "0.5;0.5",
        "0.5,0.5,0.5",
        "-0.1,0.5",
        "0.5,1.1",
        "NaN,0.5",
        "inf,0",
        "a,b",
        ",",
        "0.5,\0",
        "1e9,0",
    ] {
        assert_eq!(invalid_fields(&upload_with(focus.as_bytes()).await), ["focus"], "{focus}");
    }
    assert_eq!(invalid_fields(&upload_with(b"\xff,0.5").await), ["focus"]);
}

#[actix_web::test]
async fn all_invalid_fields_are_reported_at_once() {
    let (api, [ana]) = Api::with_users().await;

    let response = api.post(PHOTO).by(&ana).multipart(&[("focus", b"2,2")]).send().await;

    assert_eq!(invalid_fields(&response), ["file", "focus"]);
}

#[rstest]
#[case::json("application/json")]
#[case::urlencoded("application/x-www-form-urlencoded")]
#[case::image("image/png")]
#[case::mixed("multipart/mixed; boundary=x")]
#[case::longer_name("multipart/form-datax; boundary=x")]
#[case::empty("")]
#[actix_web::test]
async fn content_types_other_than_form_data_are_rejected(#[case] content_type: &str) {
    let (api, [ana]) = Api::with_users().await;

    let request = api.post(PHOTO).by(&ana).multipart(&[("file", &a_png(9, 9))]);
    let response = request.header("Content-Type", content_type).send().await;

    let details = assert_problem(&response, 415, "unsupported_media_type");
    assert_eq!(details, json!({"supported": ["multipart/form-data"]}));
}

#[actix_web::test]
async fn compressed_forms_are_rejected() {
    let (api, [ana]) = Api::with_users().await;

    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let request = api.post(PHOTO).by(&ana).multipart(&[("file", &a_png(9, 9))]);
        let response = request.header("Content-Encoding", encoding).send().await;
        assert_problem(&response, 415, "unsupported_media_type");
    }
}

#[actix_web::test]
async fn malformed_forms_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let valid = multipart_form(&[("file", &a_png(60, 60))]);
    let form_with_head =
        |head: &str| format!("--{BOUNDARY}\r\n{head}\r\n\r\nx\r\n--{BOUNDARY}--\r\n");
    let long = format!("X-Long: {}", "x".repeat(100_000));

    for (form, status) in [
        (b"".to_vec(), 422),
        (b"{}".to_vec(), 422),
        (valid[..valid.len() / 2].to_vec(), 422),
        (valid[..valid.len() - 6].to_vec(), 422),
        (form_with_head("Content-Disposition: form-data").into_bytes(), 422),
        (form_with_head("Content-Type: image/png").into_bytes(), 422),
        (form_with_head("no header at all").into_bytes(), 422),
        (form_with_head(&long).into_bytes(), 413),
        (vec![b'\n'; 200_000], 422),
    ] {
        let start = String::from_utf8_lossy(&form[..form.len().min(80)]).into_owned();
        let response = send_raw_form(&api, &ana, form).send().await;
        if status == 422 {
            assert_eq!(invalid_fields(&response), ["body"], "{start}");
        } else {
            assert_problem(&response, status, "payload_too_large");
        }
    }
    let no_boundary =
        send_raw_form(&api, &ana, valid.clone()).header("Content-Type", "multipart/form-data");
    assert_eq!(invalid_fields(&no_boundary.send().await), ["body"]);
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn an_incomplete_form_changes_nothing() {
    let (api, [ana]) = Api::with_users().await;
    let form = multipart_form(&[("file", &a_png(60, 60))]);
    let half = Bytes::copy_from_slice(&form[..form.len() / 2]);

    let broken = stream::iter([Ok(half), Err(actix_web::error::PayloadError::Incomplete(None))]);
    let response = api.post(PHOTO).by(&ana).multipart_stream(broken).send().await;

    assert_eq!(invalid_fields(&response), ["body"]);
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn a_file_of_the_maximum_size_is_accepted_and_one_byte_more_is_rejected() {
    let (api, [ana]) = Api::with_users().await;
    // Bytes after the end of the image are ignored.
    let mut file = a_png(9, 9);
    file.resize(LIMIT, 0);
    upload(&api, &ana, &file).await.expect(200);

    file.push(0);
    let response = upload(&api, &ana, &file).await;

    assert_eq!(assert_problem(&response, 413, "payload_too_large"), json!({"limit_bytes": LIMIT}));
}

#[actix_web::test]
async fn a_form_with_a_content_length_over_the_limit_is_not_read() {
    let (api, [ana]) = Api::with_users().await;

    for length in ["6000000", "18446744073709551615"] {
        let body = EndlessBody::multipart("file");
        let request = api
            .post(PHOTO)
            .by(&ana)
            .multipart_stream(body.chunks())
            .header("Content-Length", length);
        let response = request.send().await;

        assert_eq!(
            assert_problem(&response, 413, "payload_too_large"),
            json!({"limit_bytes": LIMIT})
        );
        assert_eq!(body.bytes_read(), 0);
    }
}

#[rstest]
#[case::file("file", LIMIT)]
#[case::text("focus", 65_536)]
#[case::unknown_field("more", 65_536)]
#[actix_web::test]
async fn a_part_over_the_limit_is_not_read_to_its_end(#[case] name: &str, #[case] limit: usize) {
    let (api, [ana]) = Api::with_users().await;
    let body = EndlessBody::multipart(name);

    let response = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&response, 413, "payload_too_large"), json!({"limit_bytes": limit}));
    // Some chunks are buffered when the limit is reached.
    assert!((limit / 2..limit + 200_000).contains(&body.bytes_read()), "{}", body.bytes_read());
}

/// Empty parts count towards the limit for text.
#[actix_web::test]
async fn a_form_with_endless_parts_is_not_read_to_its_end() {
    let (api, [ana]) = Api::with_users().await;
    let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n");
    let body = EndlessBody::new("", &part);

    let response = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_problem(&response, 413, "payload_too_large");
    assert!(body.bytes_read() < 65_536 / 2 * part.len() + 200_000, "{}", body.bytes_read());
}

#[actix_web::test]
async fn an_unauthenticated_form_is_not_read() {
    let api = Api::create().await;

    let body = EndlessBody::multipart("file");
    let response = api.post(PHOTO).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&response, 401, "authentication_error"), json!({}));
    assert_eq!(body.bytes_read(), 0);
}

#[actix_web::test]
async fn a_form_is_not_read_while_the_queue_is_full() {
    let mut app = TestApp::create().await;
    app.app.image_processor = Arc::new(ImageProcessor::new(1));
    let api = Api::serve(app, &WebConfig::default()).await;
    let ana = api.create_user().await;
    let mut permits: Vec<_> =
        (0..16).map(|_| api.app.app.image_processor.admit().unwrap()).collect();

    let body = EndlessBody::multipart("file");
    let response = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&response, 503, "unavailable"), json!({}));
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(body.bytes_read(), 0);
    permits.pop();
    upload(&api, &ana, &a_png(9, 9)).await.expect(200);
    // Failed requests release their permit too.
    upload(&api, &ana, b"not an image").await.expect(415);
    send_raw_form(&api, &ana, b"{}".to_vec()).send().await.expect(422);
    upload(&api, &ana, &a_png(9, 9)).await.expect(200);
}

#[actix_web::test]
async fn a_slow_form_times_out() {
    let client_request_timeout = Duration::from_millis(100);
    let config = WebConfig { client_request_timeout, ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let ana = api.create_user().await;
    let head =
        Bytes::from(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\""));
    let start = Instant::now();

    for chunks in [stream::iter([]).boxed_local(), stream::iter([Ok(head)]).boxed_local()] {
        let response =
            api.post(PHOTO).by(&ana).multipart_stream(chunks.chain(stream::pending())).send().await;
        assert_problem(&response, 408, "request_timeout");
    }

    assert!(2 * client_request_timeout <= start.elapsed());
}

#[actix_web::test]
async fn a_retry_gets_the_first_response_even_with_another_boundary() {
    let (api, [ana]) = Api::with_users().await;
    let parts: [(&str, &[u8]); 2] = [("file", &a_png(9, 9)), ("focus", b"0.5,0.5")];
    let send_with_key = |form: Vec<u8>, boundary: &str| {
        send_raw_form(&api, &ana, form)
            .header("Content-Type", &format!("multipart/form-data; boundary={boundary}"))
            .header("Idempotency-Key", "k")
            .send()
    };
    let other_boundary = String::from_utf8_lossy(BOUNDARY.as_bytes()).replace('-', "_");
    let form = multipart_form(&parts);
    let form_with_other_boundary =
        replace_bytes(&form, BOUNDARY.as_bytes(), other_boundary.as_bytes());

    let first = send_with_key(form, BOUNDARY).await.expect(200);
    let again = send_with_key(form_with_other_boundary, &other_boundary).await.expect(200);
    let changed = multipart_form(&[("file", &a_png(9, 9)), ("focus", b"0.5,0.6")]);
    let changed = send_with_key(changed, BOUNDARY).await;

    assert_eq!(envelope_data(&again), envelope_data(&first));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&changed), ["Idempotency-Key"]);
    assert_status_of_files(&api, &first.data(), 200).await;
}

#[actix_web::test]
async fn a_malformed_key_is_rejected_before_the_form_is_read() {
    let (api, [ana]) = Api::with_users().await;
    let body = EndlessBody::multipart("file");

    let request =
        api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).header("Idempotency-Key", "a b");
    let response = request.send().await;

    assert_eq!(invalid_fields(&response), ["Idempotency-Key"]);
    assert_eq!(body.bytes_read(), 0);
}

#[actix_web::test]
async fn uploads_are_limited_to_20_per_hour_and_user() {
    let config = WebConfig { limits: Some(RateLimitsConfig::default()), ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    for number in 0..20 {
        // Both kinds of upload count, successful or not.
        let request =
            if number % 2 == 0 { api.post(PHOTO) } else { api.post("/api/v1/posts/upload") };
        request.by(&ana).multipart(&[]).send().await.expect(422);
    }

    let body = EndlessBody::multipart("file");
    let response = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    let details = assert_problem(&response, 429, "rate_limit_exceeded");
    assert_eq!(details, json!({"limit": 20, "retry_after": 180}));
    assert_eq!(response.header("retry-after"), Some("180"));
    assert_eq!(response.header("ratelimit-policy"), Some("\"uploads\";q=20;w=3600"));
    assert_eq!(body.bytes_read(), 0);
    upload(&api, &ben, &a_png(9, 9)).await.expect(200);
    api.delete(PHOTO).by(&ben).send().await.expect(200);
    api.app.clock.advance(TimeDelta::seconds(180));
    upload(&api, &ana, &a_png(9, 9)).await.expect(200);
}

async fn upload(api: &Api, caller: &Caller, file: &[u8]) -> ApiResponse {
    api.post(PHOTO).by(caller).multipart(&[("file", file)]).send().await
}

/// Starts a request with these bytes as its form.
fn send_raw_form<'a>(
    api: &'a Api,
    caller: &Caller,
    form: Vec<u8>,
) -> grateful_testkit::ApiRequest<'a> {
    api.post(PHOTO).by(caller).multipart_stream(stream::iter([Ok(Bytes::from(form))]))
}

async fn assert_status_of_files(api: &Api, photo: &Value, status: u16) {
    for size in SIZES {
        api.get(photo["urls"][size].as_str().unwrap()).send().await.expect(status);
    }
}

fn replace_bytes(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    for index in 0..=bytes.len() - old.len() {
        if bytes[index..].starts_with(old) {
            bytes[index..index + old.len()].copy_from_slice(new);
        }
    }
    bytes
}
