//! `/users/me/profile/photo`: what people look like.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use chrono::TimeDelta;
use futures_util::{StreamExt as _, stream};
use grateful_application::ImageProcessor;
use grateful_domain::Colour;
use grateful_testkit::{
    Api, ApiResponse, BOUNDARY, Caller, PASSWORD, TestApp, a_large_png, a_png, multipart_form,
};
use grateful_web::{RateLimitsConfig, WebConfig};
use rstest::rstest;
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::{EndlessBody, assert_problem, envelope_data, invalid_fields, sorted_keys};

const PHOTO: &str = "/api/v1/users/me/profile/photo";

/// The most bytes of a file (rules §8).
const LIMIT: usize = 5_242_880;

const SIZES: [&str; 4] = ["large", "medium", "small", "thumbnail"];

#[actix_web::test]
async fn a_photo_that_was_taken_is_served_in_four_sizes_to_everybody() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let photo = envelope_data(&send(&api, &ana, &a_png(300, 200)).await.expect(200));

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
async fn others_see_it_in_the_profile_and_beside_posts() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let medium =
        send(&api, &ana, &a_png(9, 9)).await.expect(200).data()["profile_image_url"].take();

    let profile = format!("/api/v1/users/{}/profile", ana.user.id);
    let profile = api.get(&profile).by(&ben).send().await.expect(200).data();
    let post = json!({"content": "For rain."});
    let post = api.post("/api/v1/posts").by(&ana).json(&post).send().await.expect(201).json();

    assert_eq!(profile["profile_image_url"], medium);
    assert_eq!(post["author"]["profile_image_url"], medium);
    assert_eq!(post["author"]["image"], medium);
    let bens = api.get("/api/v1/users/me/profile").by(&ben).send().await.expect(200).data();
    assert_eq!(bens["profile_image_url"], Value::Null);
}

#[actix_web::test]
async fn another_photo_has_another_name_and_the_one_before_is_gone() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let first = send(&api, &ana, &a_png(9, 9)).await.expect(200).data();

    let second = send(&api, &ana, &a_png(9, 9)).await.expect(200).data();

    assert_served(&api, &first, 404).await;
    assert_served(&api, &second, 200).await;
}

#[actix_web::test]
async fn a_photo_can_be_taken_away_once() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let photo = send(&api, &ana, &a_png(9, 9)).await.expect(200).data();

    let removed = api.delete(PHOTO).by(&ana).send().await.expect(200);
    let again = api.delete(PHOTO).by(&ana).send().await;

    assert_eq!(envelope_data(&removed), json!({"deleted": true}));
    assert_eq!(assert_problem(&again, 404, "not_found"), json!({"resource": "photo"}));
    assert_served(&api, &photo, 404).await;
    let profile = api.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();
    assert_eq!(profile["profile_image_url"], Value::Null);
}

#[actix_web::test]
async fn what_stands_for_a_photo_is_where_it_is_said_to_be() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let response = api.get(&format!("{PHOTO}/default")).by(&ana).send().await.expect(200);

    let id = ana.user.id;
    let url = format!("/api/avatar/{id}?color={}", Colour::for_user(id));
    assert_eq!(envelope_data(&response), json!({ "avatar_url": url }));
    let avatar = api.get(&url).send().await.expect(200);
    assert_eq!(avatar.header("content-type"), Some("image/svg+xml"));
}

#[actix_web::test]
async fn whoever_leaves_takes_their_files_along() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let photo = send(&api, &ana, &a_png(9, 9)).await.expect(200).data();
    let form: [(&str, &[u8]); 2] = [("content", b"Look!"), ("image", &a_png(9, 9))];
    let post = api.post("/api/v1/posts/upload").by(&ana).multipart(&form).send().await.expect(201);
    let image = post.json()["image_url"].as_str().unwrap().to_owned();
    api.get(&image).send().await.expect(200);

    let password = json!({"password": PASSWORD});
    api.delete("/api/v1/users/me").by(&ana).json(&password).send().await.expect(204);

    assert_served(&api, &photo, 404).await;
    api.get(&image).send().await.expect(404);
    let avatar = format!("/api/avatar/{}", ana.user.id);
    api.get(&avatar).send().await.expect(404);
}

/// Nobody can even say that they mean somebody else.
#[actix_web::test]
async fn no_route_changes_the_photo_of_another_person() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let bens = send(&api, &ben, &a_png(9, 9)).await.expect(200).data();

    for (method, pattern, _) in operations() {
        if pattern.contains("photo") {
            assert!(pattern.starts_with(PHOTO) && !pattern.contains('{'), "{method} {pattern}");
        }
    }
    send(&api, &ana, &a_png(9, 9)).await.expect(200);
    api.delete(PHOTO).by(&ana).send().await.expect(200);
    // Nor is a name that is sent along looked at.
    let name = bens["filename"].as_str().unwrap();
    let form: [(&str, &[u8]); 3] =
        [("file", &a_png(9, 9)), ("filename", name.as_bytes()), ("user_id", b"2")];
    let anas = api.post(PHOTO).by(&ana).multipart(&form).send().await.expect(200).data();
    let settable = json!({"profile_image_url": bens["profile_image_url"]});
    let profile = api.put("/api/v1/users/me/profile").by(&ana).json(&settable).send().await;

    assert_eq!(profile.expect(200).data()["profile_image_url"], anas["profile_image_url"]);
    assert_served(&api, &bens, 200).await;
}

#[actix_web::test]
async fn the_name_of_the_file_and_its_declared_type_prove_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let pretending = |file: &[u8], name: &str, named: &str| {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {named}\r\n\r\n"
        );
        let form = [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        form_of(&api, &ana, form).send()
    };

    for file in [
        &b"GIF89a\x01\0\x01\0\0\0\0;"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"x",
        b"\xff\xd8",
    ] {
        let refused = pretending(file, "photo.jpg", "image/jpeg").await;
        let details = assert_problem(&refused, 415, "unsupported_media_type");
        assert_eq!(details, json!({"supported": ["image/jpeg", "image/png", "image/webp"]}));
    }
    for (name, named) in [
        ("../../etc/passwd", "text/html"),
        ("x.exe", "application/x-msdownload"),
        ("", "image/gif"),
    ] {
        let photo = pretending(&a_png(9, 9), name, named).await.expect(200).data();
        assert!(photo["filename"].as_str().unwrap().starts_with("profile_"));
    }
}

#[actix_web::test]
async fn a_picture_that_is_not_taken_is_refused_in_the_field_file() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let whole = a_png(60, 60);

    for (file, reason) in [
        (a_large_png(8_000, 8_000), "megapixels"),
        (a_large_png(12_001, 8), "the maximum side is 12000 pixels"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        ([&whole[..40], &[0; 400]].concat(), "damaged"),
        (b"\xff\xd8\xff\xe0no more than that".to_vec(), "damaged"),
    ] {
        let refused = send(&api, &ana, &file).await;
        assert_eq!(invalid_fields(&refused), ["file"]);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("file: ") && detail.contains(reason), "{detail}");
    }
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn a_form_without_a_file_is_refused() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for form in [&[][..], &[("focus", &b"0.5,0.5"[..])], &[("file", b"")], &[("image", b"x")]] {
        let refused = api.post(PHOTO).by(&ana).multipart(form).send().await;
        assert_eq!(invalid_fields(&refused), ["file"]);
        assert_eq!(refused.json()["detail"], "file: is required");
    }
}

#[actix_web::test]
async fn the_focus_is_two_numbers_from_0_to_1() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let send = |focus: &[u8]| {
        let form = [("file", &a_png(9, 9)[..]), ("focus", focus)];
        api.post(PHOTO).by(&ana).multipart(&form).send()
    };

    for focus in ["0,0", "1,1", " 0.5 , 0.25 ", "", "  "] {
        send(focus.as_bytes()).await.expect(200);
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
        assert_eq!(invalid_fields(&send(focus.as_bytes()).await), ["focus"], "{focus}");
    }
    assert_eq!(invalid_fields(&send(b"\xff,0.5").await), ["focus"]);
}

#[actix_web::test]
async fn all_that_is_wrong_is_said_at_once() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let refused = api.post(PHOTO).by(&ana).multipart(&[("focus", b"2,2")]).send().await;

    assert_eq!(invalid_fields(&refused), ["file", "focus"]);
}

#[rstest]
#[case::json("application/json")]
#[case::urlencoded("application/x-www-form-urlencoded")]
#[case::bare("image/png")]
#[case::mixed("multipart/mixed; boundary=x")]
#[case::longer("multipart/form-datax; boundary=x")]
#[case::nothing("")]
#[actix_web::test]
async fn what_is_no_form_is_of_another_type(#[case] named: &str) {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let request = api.post(PHOTO).by(&ana).multipart(&[("file", &a_png(9, 9))]);
    let refused = request.header("Content-Type", named).send().await;

    let details = assert_problem(&refused, 415, "unsupported_media_type");
    assert_eq!(details, json!({"supported": ["multipart/form-data"]}));
}

#[actix_web::test]
async fn an_encoded_form_is_never_inflated() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let request = api.post(PHOTO).by(&ana).multipart(&[("file", &a_png(9, 9))]);
        let refused = request.header("Content-Encoding", encoding).send().await;
        assert_problem(&refused, 415, "unsupported_media_type");
    }
}

#[actix_web::test]
async fn a_form_that_is_none_is_refused_in_the_field_body() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let whole = multipart_form(&[("file", &a_png(60, 60))]);
    let part = |head: &str| format!("--{BOUNDARY}\r\n{head}\r\n\r\nx\r\n--{BOUNDARY}--\r\n");
    let long = format!("X-Long: {}", "x".repeat(100_000));

    for (form, status) in [
        (b"".to_vec(), 422),
        (b"{}".to_vec(), 422),
        (whole[..whole.len() / 2].to_vec(), 422),
        (whole[..whole.len() - 6].to_vec(), 422),
        (part("Content-Disposition: form-data").into_bytes(), 422),
        (part("Content-Type: image/png").into_bytes(), 422),
        (part("no header at all").into_bytes(), 422),
        (part(&long).into_bytes(), 413),
        (vec![b'\n'; 200_000], 422),
    ] {
        let start = String::from_utf8_lossy(&form[..form.len().min(80)]).into_owned();
        let refused = form_of(&api, &ana, form).send().await;
        if status == 422 {
            assert_eq!(invalid_fields(&refused), ["body"], "{start}");
        } else {
            assert_problem(&refused, status, "payload_too_large");
        }
    }
    let no_boundary =
        form_of(&api, &ana, whole.clone()).header("Content-Type", "multipart/form-data");
    assert_eq!(invalid_fields(&no_boundary.send().await), ["body"]);
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn a_form_whose_connection_breaks_does_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let form = multipart_form(&[("file", &a_png(60, 60))]);
    let half = Bytes::copy_from_slice(&form[..form.len() / 2]);

    let broken = stream::iter([Ok(half), Err(actix_web::error::PayloadError::Incomplete(None))]);
    let refused = api.post(PHOTO).by(&ana).multipart_stream(broken).send().await;

    assert_eq!(invalid_fields(&refused), ["body"]);
    assert_eq!(api.database().count("users WHERE profile_photo_filename IS NULL").await, 1);
}

#[actix_web::test]
async fn a_file_of_the_largest_size_is_looked_at_and_one_byte_more_is_not() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    // What stands behind the end of a picture is no part of it.
    let mut file = a_png(9, 9);
    file.resize(LIMIT, 0);
    send(&api, &ana, &file).await.expect(200);

    file.push(0);
    let refused = send(&api, &ana, &file).await;

    assert_eq!(assert_problem(&refused, 413, "payload_too_large"), json!({"limit_bytes": LIMIT}));
}

#[actix_web::test]
async fn a_form_that_says_itself_that_it_is_too_large_is_not_read() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for length in ["6000000", "18446744073709551615"] {
        let body = EndlessBody::multipart("file");
        let request = api
            .post(PHOTO)
            .by(&ana)
            .multipart_stream(body.chunks())
            .header("Content-Length", length);
        let refused = request.send().await;

        assert_eq!(
            assert_problem(&refused, 413, "payload_too_large"),
            json!({"limit_bytes": LIMIT})
        );
        assert_eq!(body.bytes_read(), 0);
    }
}

#[rstest]
#[case::a_file("file", LIMIT)]
#[case::a_text("focus", 65_536)]
#[case::whatever_else("more", 65_536)]
#[actix_web::test]
async fn reading_stops_where_a_part_grows_too_large(#[case] name: &str, #[case] limit: usize) {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let body = EndlessBody::multipart(name);

    let refused = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&refused, 413, "payload_too_large"), json!({"limit_bytes": limit}));
    // What was under way when it was enough.
    assert!((limit / 2..limit + 200_000).contains(&body.bytes_read()), "{}", body.bytes_read());
}

/// As many parts as there may be texts, none of which has anything in it.
#[actix_web::test]
async fn reading_stops_where_there_is_no_end_of_parts() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n");
    let body = EndlessBody::new("", &part);

    let refused = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_problem(&refused, 413, "payload_too_large");
    assert!(body.bytes_read() < 65_536 / 2 * part.len() + 200_000, "{}", body.bytes_read());
}

#[actix_web::test]
async fn whoever_is_not_signed_in_has_their_form_not_even_read() {
    let api = Api::create().await;

    let body = EndlessBody::multipart("file");
    let refused = api.post(PHOTO).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&refused, 401, "authentication_error"), json!({}));
    assert_eq!(body.bytes_read(), 0);
}

#[actix_web::test]
async fn where_the_queue_is_full_the_form_is_not_even_read() {
    let mut app = TestApp::create().await;
    app.app.image_processor = Arc::new(ImageProcessor::new(1));
    let api = Api::serve(app, &WebConfig::default()).await;
    let ana = api.create_user().await;
    let mut places: Vec<_> =
        (0..16).map(|_| api.app.app.image_processor.admit().unwrap()).collect();

    let body = EndlessBody::multipart("file");
    let refused = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&refused, 503, "unavailable"), json!({}));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(body.bytes_read(), 0);
    places.pop();
    send(&api, &ana, &a_png(9, 9)).await.expect(200);
    // Whatever becomes of a request, its place is free afterwards.
    send(&api, &ana, b"no picture").await.expect(415);
    form_of(&api, &ana, b"{}".to_vec()).send().await.expect(422);
    send(&api, &ana, &a_png(9, 9)).await.expect(200);
}

#[actix_web::test]
async fn a_form_that_does_not_come_is_not_waited_for() {
    let client_request_timeout = Duration::from_millis(100);
    let config = WebConfig { client_request_timeout, ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let ana = api.create_user().await;
    let head =
        Bytes::from(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\""));
    let begun = Instant::now();

    for bits in [stream::iter([]).boxed_local(), stream::iter([Ok(head)]).boxed_local()] {
        let slow =
            api.post(PHOTO).by(&ana).multipart_stream(bits.chain(stream::pending())).send().await;
        assert_problem(&slow, 408, "request_timeout");
    }

    assert!(2 * client_request_timeout <= begun.elapsed());
}

#[actix_web::test]
async fn the_same_form_again_gets_the_first_answer_whatever_separates_its_parts() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let parts: [(&str, &[u8]); 2] = [("file", &a_png(9, 9)), ("focus", b"0.5,0.5")];
    let keyed = |form: Vec<u8>, boundary: &str| {
        form_of(&api, &ana, form)
            .header("Content-Type", &format!("multipart/form-data; boundary={boundary}"))
            .header("Idempotency-Key", "k")
            .send()
    };
    let other = String::from_utf8_lossy(BOUNDARY.as_bytes()).replace('-', "_");
    let form = multipart_form(&parts);
    let separated_otherwise = replaced(&form, BOUNDARY.as_bytes(), other.as_bytes());

    let first = keyed(form, BOUNDARY).await.expect(200);
    let again = keyed(separated_otherwise, &other).await.expect(200);
    let changed = multipart_form(&[("file", &a_png(9, 9)), ("focus", b"0.5,0.6")]);
    let changed = keyed(changed, BOUNDARY).await;

    assert_eq!(envelope_data(&again), envelope_data(&first));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&changed), ["Idempotency-Key"]);
    assert_served(&api, &first.data(), 200).await;
}

#[actix_web::test]
async fn a_key_that_is_none_is_refused_before_the_form_is_read() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let body = EndlessBody::multipart("file");

    let request =
        api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).header("Idempotency-Key", "a b");
    let refused = request.send().await;

    assert_eq!(invalid_fields(&refused), ["Idempotency-Key"]);
    assert_eq!(body.bytes_read(), 0);
}

#[actix_web::test]
async fn twenty_pictures_an_hour_are_taken_from_one_person() {
    let config = WebConfig { limits: Some(RateLimitsConfig::default()), ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    for number in 0..20 {
        // Of either kind, and however it ends.
        let request =
            if number % 2 == 0 { api.post(PHOTO) } else { api.post("/api/v1/posts/upload") };
        request.by(&ana).multipart(&[]).send().await.expect(422);
    }

    let body = EndlessBody::multipart("file");
    let refused = api.post(PHOTO).by(&ana).multipart_stream(body.chunks()).send().await;

    let details = assert_problem(&refused, 429, "rate_limit_exceeded");
    assert_eq!(details, json!({"limit": 20, "retry_after": 180}));
    assert_eq!(refused.header("retry-after"), Some("180"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"uploads\";q=20;w=3600"));
    assert_eq!(body.bytes_read(), 0);
    send(&api, &ben, &a_png(9, 9)).await.expect(200);
    api.delete(PHOTO).by(&ben).send().await.expect(200);
    api.app.clock.advance(TimeDelta::seconds(180));
    send(&api, &ana, &a_png(9, 9)).await.expect(200);
}

async fn send(api: &Api, who: &Caller, file: &[u8]) -> ApiResponse {
    api.post(PHOTO).by(who).multipart(&[("file", file)]).send().await
}

/// A request with these bytes as its form.
fn form_of<'a>(api: &'a Api, who: &Caller, form: Vec<u8>) -> grateful_testkit::ApiRequest<'a> {
    api.post(PHOTO).by(who).multipart_stream(stream::iter([Ok(Bytes::from(form))]))
}

async fn assert_served(api: &Api, photo: &Value, status: u16) {
    for size in SIZES {
        api.get(photo["urls"][size].as_str().unwrap()).send().await.expect(status);
    }
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    for at in 0..=bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
    bytes
}
