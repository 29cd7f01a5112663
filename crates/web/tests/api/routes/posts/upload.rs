//! `/api/v1/posts/upload`: posts with an image.

use actix_web::http::Method;
use grateful_testkit::{Api, ApiRequest, ApiResponse, Caller, a_png};
use serde_json::{Value, json};

use crate::support::{
    EndlessBody, NOON, POST_FIELDS, assert_problem, invalid_fields, post_path, sorted_keys,
};

const UPLOAD: &str = "/api/v1/posts/upload";

/// The maximum size of a file in bytes (docs/rules.md#images).
const LIMIT: usize = 5_242_880;

#[actix_web::test]
async fn a_post_with_an_image_is_created_and_the_image_is_served() {
    let (api, [ana]) = Api::with_users().await;

    let form = [("content", &b" For rain.\r\nAnd sun. "[..]), ("image", &a_png(30, 20))];
    let response = send(&api, &ana, &form).await.expect(201);

    let post = response.json();
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(sorted_keys(&post), POST_FIELDS);
    for (field, value) in [
        ("author_id", json!(i64::from(ana.user.id))),
        ("content", json!("For rain.\nAnd sun.")),
        ("post_type", json!("photo")),
        ("title", Value::Null),
        ("location", Value::Null),
        ("is_public", json!(true)),
        ("created_at", json!(NOON)),
        ("updated_at", Value::Null),
        ("hearts_count", json!(0)),
    ] {
        assert_eq!(post[field], value, "{field}");
    }
    let read = api.get(&post_path(post["id"].as_str().unwrap())).send().await.expect(200);
    assert_eq!(read.json(), post);
    assert_eq!(read.header("etag"), response.header("etag"));
    let url = post["image_url"].as_str().unwrap();
    let id = url.strip_prefix("/uploads/posts/").and_then(|name| name.strip_suffix(".jpg"));
    assert_eq!(uuid::Uuid::parse_str(id.unwrap()).unwrap().to_string(), id.unwrap());
    let file = api.get(url).send().await.expect(200);
    assert_eq!(file.header("content-type"), Some("image/jpeg"));
}

#[actix_web::test]
async fn all_fields_of_the_form_are_stored() {
    let (api, [ana]) = Api::with_users().await;

    let image = a_png(9, 9);
    let form = [
        ("image", &image[..]),
        ("is_public", b"false"),
        ("location", b"Lisboa"),
        ("title", b" Rain "),
        ("post_type", b"daily"),
        ("content", "For rain. 💜".as_bytes()),
    ];
    let post = send(&api, &ana, &form).await.expect(201).json();

    for (field, value) in [
        ("post_type", json!("daily")),
        ("title", json!("Rain")),
        ("location", json!("Lisboa")),
        ("is_public", json!(false)),
        ("content", json!("For rain. 💜")),
    ] {
        assert_eq!(post[field], value, "{field}");
    }
}

/// Browsers send all fields of a form, and an empty file if none was chosen.
#[actix_web::test]
async fn empty_fields_count_as_absent() {
    let (api, [ana]) = Api::with_users().await;

    let form: [(&str, &[u8]); 6] = [
        ("content", b"For rain."),
        ("post_type", b""),
        ("title", b""),
        ("location", b" \r\n"),
        ("is_public", b""),
        ("image", b""),
    ];
    let post = send(&api, &ana, &form).await.expect(201).json();

    for (field, value) in [
        ("post_type", json!("spontaneous")),
        ("title", Value::Null),
        ("location", Value::Null),
        ("is_public", json!(true)),
        ("image_url", Value::Null),
    ] {
        assert_eq!(post[field], value, "{field}");
    }
}

#[actix_web::test]
async fn the_post_type_is_detected_if_absent() {
    let (api, [ana]) = Api::with_users().await;
    let png = a_png(9, 9);
    let (long, longer) = ("x".repeat(300), "x".repeat(301));

    for (content, given, has_image, post_type) in [
        ("For rain.", "", true, "photo"),
        (&long, "", true, "photo"),
        (&longer, "", true, "daily"),
        ("For rain.", "", false, "spontaneous"),
        (&longer, "", false, "daily"),
        ("For rain.", "spontaneous", true, "spontaneous"),
        ("For rain.", "photo", false, "photo"),
    ] {
        let mut form = vec![("content", content.as_bytes()), ("post_type", given.as_bytes())];
        form.extend(has_image.then_some(("image", &png[..])));
        let post = send(&api, &ana, &form).await.expect(201).json();
        assert_eq!(post["post_type"], post_type, "{given} {has_image}");
    }
}

#[actix_web::test]
async fn booleans_in_forms_have_several_spellings() {
    let (api, [ana]) = Api::with_users().await;

    for (word, is_public) in [
        ("true", true),
        ("1", true),
        ("on", true),
        ("Yes", true),
        (" TRUE ", true),
        ("false", false),
        ("0", false),
        ("off", false),
        ("No", false),
        ("False", false),
    ] {
        let form = [("content", &b"For rain."[..]), ("is_public", word.as_bytes())];
        let post = send(&api, &ana, &form).await.expect(201).json();
        assert_eq!(post["is_public"], is_public, "{word}");
    }
    for word in ["2", "maybe", "truefalse", "null", "\u{ff}"] {
        let form = [("content", &b"For rain."[..]), ("is_public", word.as_bytes())];
        assert_eq!(invalid_fields(&send(&api, &ana, &form).await), ["is_public"], "{word}");
    }
}

#[actix_web::test]
async fn all_invalid_fields_are_reported_at_once_and_no_file_is_stored() {
    let (api, [ana]) = Api::with_users().await;
    let (image, long) = (a_png(9, 9), "x".repeat(501));
    let all = ["content", "is_public", "location", "post_type", "title"];

    for (form, fields) in [
        (&[("image", &image[..])][..], &["content"][..]),
        (&[("image", &image), ("content", b" \r\n")], &["content"]),
        (&[("image", &image), ("content", b"a\0b")], &["content"]),
        (&[("image", &image), ("content", b"\xff\xfe")], &["content"]),
        (&[("image", &image), ("content", long.as_bytes())], &["content"]),
        (
            &[
                ("content", b"\x1b"),
                ("post_type", b"selfie"),
                ("title", b"two\nlines"),
                ("location", long.as_bytes()),
                ("is_public", b"perhaps"),
                ("image", &image),
            ],
            &all,
        ),
    ] {
        assert_eq!(invalid_fields(&send(&api, &ana, form).await), fields);
    }
    assert_eq!((api.database().count("posts").await, count_files(&api).await), (0, 0));
}

#[actix_web::test]
async fn invalid_images_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let png = a_png(60, 60);

    let unsupported = upload_image(&api, &ana, b"GIF89a").await;
    let truncated = upload_image(&api, &ana, &png[..png.len() / 2]).await;
    let large = upload_image(&api, &ana, &vec![0; LIMIT + 1]).await;

    let details = assert_problem(&unsupported, 415, "unsupported_media_type");
    assert_eq!(details, json!({"supported": ["image/jpeg", "image/png", "image/webp"]}));
    assert_eq!(invalid_fields(&truncated), ["image"]);
    assert_eq!(assert_problem(&large, 413, "payload_too_large"), json!({"limit_bytes": LIMIT}));
    assert_eq!((api.database().count("posts").await, count_files(&api).await), (0, 0));
}

#[actix_web::test]
async fn an_image_over_the_limit_is_not_read_to_its_end() {
    let (api, [ana]) = Api::with_users().await;
    let body = EndlessBody::multipart("image");

    let response = api.post(UPLOAD).by(&ana).multipart_stream(body.chunks()).send().await;

    assert_eq!(assert_problem(&response, 413, "payload_too_large"), json!({"limit_bytes": LIMIT}));
    assert!((LIMIT / 2..LIMIT + 200_000).contains(&body.bytes_read()), "{}", body.bytes_read());
}

#[actix_web::test]
async fn the_form_accepts_an_image_only_as_a_file() {
    let (api, [ana]) = Api::with_users().await;
    let other = upload_image(&api, &ana, &a_png(9, 9)).await.expect(201).json();
    let other = other["image_url"].as_str().unwrap().as_bytes();

    let form = [("content", &b"For rain."[..]), ("image_url", other), ("photo", b"beach.png")];
    let post = send(&api, &ana, &form).await.expect(201).json();

    assert_eq!(post["image_url"], Value::Null);
}

#[actix_web::test]
async fn a_private_privacy_level_wins_over_is_public() {
    let (api, [ana]) = Api::with_users().await;

    for (level, is_public, result) in [
        ("private", "true", false),
        ("private", "", false),
        ("public", "false", false),
        ("public", "", true),
        ("", "", true),
        (" ", "false", false),
    ] {
        let form = [
            ("content", &b"For rain."[..]),
            ("privacy_level", level.as_bytes()),
            ("is_public", is_public.as_bytes()),
        ];
        let post = send(&api, &ana, &form).await.expect(201).json();
        assert_eq!(post["is_public"], result, "{level} {is_public}");
    }
    for level in ["custom", "Private", "friends", "true", "null"] {
        let form = [("content", &b"For rain."[..]), ("privacy_level", level.as_bytes())];
        assert_eq!(invalid_fields(&send(&api, &ana, &form).await), ["privacy_level"], "{level}");
    }
}

#[actix_web::test]
async fn a_retry_with_the_same_form_gets_the_first_response() {
    let (api, [ana]) = Api::with_users().await;
    let send_with_key = |form: &[(&str, &[u8])]| {
        api.post(UPLOAD).by(&ana).multipart(form).header("Idempotency-Key", "k").send()
    };
    let image = a_png(9, 9);
    let form = [("content", &b"For rain."[..]), ("image", &image)];

    let first = send_with_key(&form).await.expect(201);
    let again = send_with_key(&form).await.expect(201);
    let without = send_with_key(&form[..1]).await;

    assert_eq!(again.body, first.body);
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(invalid_fields(&without), ["Idempotency-Key"]);
    assert_eq!((api.database().count("posts").await, count_files(&api).await), (1, 1));
}

#[actix_web::test]
async fn only_post_is_allowed() {
    let (api, [ana]) = Api::with_users().await;

    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let response = api.request(method, UPLOAD).by(&ana).send().await;
        assert_problem(&response, 405, "method_not_allowed");
        assert_eq!(response.header("allow"), Some("POST"));
    }
}

async fn send(api: &Api, author: &Caller, form: &[(&str, &[u8])]) -> ApiResponse {
    let request: ApiRequest<'_> = api.post(UPLOAD).by(author).multipart(form);
    request.send().await
}

async fn upload_image(api: &Api, author: &Caller, image: &[u8]) -> ApiResponse {
    send(api, author, &[("content", b"For rain."), ("image", image)]).await
}

/// Counts the stored files.
async fn count_files(api: &Api) -> usize {
    use futures_util::StreamExt as _;
    use object_store::ObjectStore as _;

    api.app.files.list(None).count().await
}
