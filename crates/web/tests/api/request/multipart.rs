//! Multipart forms: their syntax, their files, and what is refused instead of ignored.

use actix_web::web::Bytes;
use futures_util::stream;
use grateful_testkit::{Api, ApiResponse, Caller, a_png};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{EndlessBody, assert_problem, invalid_fields};

const UPLOAD: &str = "/api/v1/posts/upload";
const PHOTO: &str = "/api/v1/users/me/profile/photo";

/// Disposition parameters of the parts of a post.
const CONTENT: &str = "name=\"content\"";
const IMAGE: &str = "name=\"image\"; filename=\"a.png\"";

/// Encodes a part with the boundary `XX`. `disposition` follows `form-data;` and can be followed by other headers.
fn part(disposition: &(impl AsRef<[u8]> + ?Sized), content: &[u8]) -> Vec<u8> {
    let start = &b"--XX\r\nContent-Disposition: form-data; "[..];
    [start, disposition.as_ref(), b"\r\n\r\n", content, b"\r\n"].concat()
}

/// Joins parts to a form with the boundary `XX`.
fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], b"--XX--\r\n"].concat()
}

async fn send(api: &Api, caller: &Caller, path: &str, form: Vec<u8>) -> ApiResponse {
    let request = api.post(path).by(caller).multipart_stream(stream::iter([Ok(Bytes::from(form))]));
    request.header("Content-Type", "multipart/form-data; boundary=XX").send().await
}

async fn create_post(api: &Api, author: &Caller, parts: &[Vec<u8>]) -> ApiResponse {
    send(api, author, UPLOAD, form(parts)).await
}

fn detail(response: &ApiResponse) -> String {
    response.json()["detail"].as_str().unwrap_or_default().to_owned()
}

#[rstest]
#[case::shift_jis(b"name=\"image\"; filename=\"\x95\x5c.png\"")]
#[case::latin_1(b"name=\"image\"; filename=\"caf\xe9.png\"")]
#[case::not_utf_8(b"name=\"image\"; filename=\"\xff\xfe\x80\"")]
#[case::before_the_name(b"filename=\"\xff\"; name=\"image\"")]
#[case::malformed_extended(b"name=\"image\"; filename=\"a.png\"; filename*=x''%")]
#[case::open_quotes(b"name=\"image\"; filename=\"a.png")]
#[case::quotes_inside(b"name=\"image\"; filename=\"a \"big\" day.png\"")]
#[actix_web::test]
async fn an_unreadable_file_name_does_not_refuse_the_form(#[case] disposition: &[u8]) {
    let (api, [ana]) = Api::with_users().await;

    let parts = [part(CONTENT, b"For rain."), part(disposition, &a_png(9, 9))];
    let post = create_post(&api, &ana, &parts).await.expect(201).json();

    assert!(post["image_url"].is_string());
}

#[actix_web::test]
async fn an_empty_file_takes_no_image_away() {
    let (api, [ana]) = Api::with_users().await;
    let content = part(CONTENT, b"For rain.");
    let full = part(IMAGE, &a_png(9, 9));
    let empty =
        part("name=\"image\"; filename=\"\"\r\nContent-Type: application/octet-stream", b"");

    for parts in [[&content, &empty, &full], [&content, &full, &empty]] {
        let post = create_post(&api, &ana, &parts.map(Clone::clone)).await.expect(201).json();
        assert!(post["image_url"].is_string());
    }
}

#[actix_web::test]
async fn two_images_are_refused() {
    let (api, [ana]) = Api::with_users().await;
    let content = part(CONTENT, b"For rain.");
    let image = || part(IMAGE, &a_png(9, 9));

    let response = create_post(&api, &ana, &[content, image(), image()]).await;

    assert_eq!(invalid_fields(&response), ["image"]);
    assert_eq!(detail(&response), "image: must be one file");
    assert_eq!(api.database().count("posts").await, 0);
}

#[rstest]
#[case::plural("name=\"images\"; filename=\"a.png\"", "images")]
#[case::list("name=\"image[]\"; filename=\"a.png\"", "image[]")]
#[case::extended_name("name=\"photo\"; filename*=UTF-8''a.png", "photo")]
#[case::only_a_type("name=\"photo\"\r\nContent-Type: image/png", "photo")]
#[case::no_image("name=\"attachment\"; filename=\"a.pdf\"", "attachment")]
#[actix_web::test]
async fn a_file_in_an_unknown_field_is_refused(#[case] disposition: &str, #[case] field: &str) {
    let (api, [ana]) = Api::with_users().await;

    let parts = [part(CONTENT, b"For rain."), part(disposition, &a_png(9, 9))];
    let response = create_post(&api, &ana, &parts).await;

    assert_eq!(invalid_fields(&response), [field]);
    let expected = format!("{field}: is not a field for a file; send the file as image");
    assert_eq!(detail(&response), expected);
    assert_eq!(api.database().count("posts").await, 0);
}

#[actix_web::test]
async fn an_unknown_file_is_reported_with_all_other_invalid_fields() {
    let (api, [ana]) = Api::with_users().await;

    let post = [part("name=\"images\"; filename=\"a.png\"", b"x"), part("name=\"title\"", b"a\0")];
    let photo = [part(IMAGE, b"x"), part("name=\"focus\"", b"2,2")];

    let response = create_post(&api, &ana, &post).await;
    assert_eq!(invalid_fields(&response), ["content", "images", "title"]);
    let response = send(&api, &ana, PHOTO, form(&photo)).await;
    assert_eq!(invalid_fields(&response), ["file", "focus", "image"]);
}

/// Browsers send an empty file for each input without one.
#[actix_web::test]
async fn unknown_texts_and_empty_unknown_files_are_ignored() {
    let (api, [ana]) = Api::with_users().await;

    let parts = [
        part(CONTENT, b"For rain."),
        part("name=\"mood\"", b"calm"),
        part("name=\"\"", b"x"),
        part("name=\"images\"; filename=\"\"\r\nContent-Type: image/png", b""),
    ];
    let post = create_post(&api, &ana, &parts).await.expect(201).json();

    assert_eq!(post["image_url"], Value::Null);
}

/// Some libraries give every part a file name.
#[actix_web::test]
async fn a_text_field_can_have_a_file_name() {
    let (api, [ana]) = Api::with_users().await;

    let parts = [part("name=\"content\"; filename=\"content\"", b"For rain.")];
    let post = create_post(&api, &ana, &parts).await.expect(201).json();

    assert_eq!(post["content"], "For rain.");
}

#[actix_web::test]
async fn an_unusable_name_of_an_unknown_file_is_not_repeated() {
    let (api, [ana]) = Api::with_users().await;
    let long = format!("name=\"{}\"; filename=\"a\"", "x".repeat(101));

    for disposition in ["name=\"\"; filename=\"a\"", "name=\" \"; filename=\"a\"", &long] {
        let parts = [part(CONTENT, b"For rain."), part(disposition, b"x")];
        let response = create_post(&api, &ana, &parts).await;
        assert_eq!(invalid_fields(&response), ["body"], "{disposition}");
    }
    let many = (0..100).map(|number| part(&format!("name=\"{number}\"; filename=\"a\""), b"x"));
    let response = create_post(&api, &ana, &many.collect::<Vec<_>>()).await;
    assert_eq!(invalid_fields(&response).len(), 11);
}

#[rstest]
#[case::too_small("1")]
#[case::zero("0")]
#[case::too_large("5000")]
#[case::huge("18446744073709551616")]
#[case::malformed("-1")]
#[actix_web::test]
async fn the_content_length_of_a_part_is_ignored(#[case] length: &str) {
    let (api, [ana]) = Api::with_users().await;
    let text = "For rain.\r\nContent-Length: 3\r\nAnd sun.";

    let parts = [
        part(&format!("{CONTENT}\r\nContent-Length: {length}"), text.as_bytes()),
        part(&format!("{IMAGE}\r\ncontent-length:{length}"), &a_png(9, 9)),
    ];
    let post = create_post(&api, &ana, &parts).await.expect(201).json();

    assert_eq!(post["content"], "For rain.\nContent-Length: 3\nAnd sun.");
    assert!(post["image_url"].is_string());
}

#[actix_web::test]
async fn a_form_that_arrives_byte_by_byte_is_read() {
    let (api, [ana]) = Api::with_users().await;
    let parts = [
        part(&format!("{CONTENT}\r\nContent-Length: 1"), b"For rain.\r\n--X"),
        part(IMAGE, &a_png(9, 9)),
    ];

    for size in [1, 2, 3, 16] {
        let chunks = form(&parts);
        let chunks: Vec<_> =
            chunks.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let request = api.post(UPLOAD).by(&ana).multipart_stream(stream::iter(chunks));
        let request = request.header("Content-Type", "multipart/form-data; boundary=XX");
        let post = request.send().await.expect(201).json();
        assert_eq!(post["content"], "For rain.\n--X", "{size}");
        assert!(post["image_url"].is_string(), "{size}");
    }
}

#[actix_web::test]
async fn encoded_parts_are_refused() {
    let (api, [ana]) = Api::with_users().await;
    let encoded = |disposition: &str, encoding: &str| {
        format!("{disposition}\r\nContent-Transfer-Encoding: {encoding}")
    };

    for encoding in ["7bit", "8bit", "Binary"] {
        let parts = [
            part(&encoded(CONTENT, encoding), b"For rain."),
            part(&encoded(IMAGE, encoding), &a_png(9, 9)),
        ];
        create_post(&api, &ana, &parts).await.expect(201);
    }
    for encoding in ["base64", "quoted-printable", "x"] {
        let parts = [
            part(&encoded(CONTENT, encoding), b"Rm9yIHJhaW4u"),
            part(&encoded(IMAGE, encoding), b"eA=="),
        ];
        let response = create_post(&api, &ana, &parts).await;
        assert_eq!(invalid_fields(&response), ["content", "image"], "{encoding}");
    }
}

#[actix_web::test]
async fn text_around_the_parts_is_ignored() {
    let (api, [ana]) = Api::with_users().await;
    let parts = form(&[part(CONTENT, b"For rain."), part(IMAGE, &a_png(9, 9))]);
    let short_end = parts.strip_suffix(b"\r\n").unwrap().to_vec();

    for form in [
        [b"Hello\r\n\r\nworld\r\n", &parts[..]].concat(),
        [b"\r\n", &parts[..]].concat(),
        [&parts[..], b"Bye\r\n--XX\r\n"].concat(),
        short_end,
    ] {
        let post = send(&api, &ana, UPLOAD, form).await.expect(201).json();
        assert_eq!(post["content"], "For rain.");
        assert!(post["image_url"].is_string());
    }
}

/// No message names the multipart library's terms, such as the stream or the field parser.
#[rstest]
#[case::empty(b"", "is incomplete: ")]
#[case::other_boundary(b"--YY\r\n\r\n\r\n--YY--\r\n", "is incomplete: ")]
#[case::no_closing_boundary(
    b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n",
    "is incomplete: "
)]
#[case::no_content(b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n", "is incomplete: ")]
#[case::only_lf(
    b"--XX\nContent-Disposition: form-data; name=\"a\"\n\nb\n--XX--\n",
    "is incomplete: "
)]
#[case::lf_in_headers(
    b"--XX\r\nContent-Disposition: form-data; name=\"a\"\n\nb\r\n--XX--\r\n",
    "is incomplete: "
)]
#[case::half_a_boundary(
    b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--X",
    "is incomplete: "
)]
#[case::half_a_closing_boundary(
    b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX-",
    "has a malformed boundary line"
)]
#[case::longer_boundary(
    b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XXX\r\n",
    "has a malformed boundary line"
)]
#[case::no_disposition(
    b"--XX\r\nContent-Type: text/plain\r\n\r\nb\r\n--XX--\r\n",
    "has a part without a name"
)]
#[case::no_name(
    b"--XX\r\nContent-Disposition: form-data\r\n\r\nb\r\n--XX--\r\n",
    "has a part without a name"
)]
#[case::attachment(
    b"--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
    "has a part without a name"
)]
#[case::nested(b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: multipart/mixed; boundary=Y\r\n\r\nb\r\n--XX--\r\n", "has a part with parts of its own, which are not supported")]
#[case::bad_header(
    b"--XX\r\nContent Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
    "has a part with malformed headers"
)]
#[case::no_header(b"--XX\r\nname\r\n\r\nb\r\n--XX--\r\n", "has a part with malformed headers")]
#[actix_web::test]
async fn a_malformed_form_is_refused_in_plain_words(#[case] form: &[u8], #[case] reason: &str) {
    let (api, [ana]) = Api::with_users().await;

    let response = send(&api, &ana, UPLOAD, form.to_vec()).await;

    assert_eq!(invalid_fields(&response), ["body"]);
    let detail = detail(&response);
    assert!(detail.starts_with(&format!("body: {reason}")), "{detail}");
    for word in ["stream", "Multipart", "Content-Disposition", "Error", "parsing"] {
        assert!(!detail.contains(word), "{detail}");
    }
}

#[rstest]
#[case::missing("multipart/form-data")]
#[case::empty("multipart/form-data; boundary=")]
#[case::too_long(
    "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890"
)]
#[case::not_printable("multipart/form-data; boundary=\"a\\\"b\"")]
#[actix_web::test]
async fn a_form_without_a_usable_boundary_is_refused(#[case] content_type: &str) {
    let (api, [ana]) = Api::with_users().await;

    let body = EndlessBody::multipart("image");
    let request = api.post(UPLOAD).by(&ana).multipart_stream(body.chunks());
    let response = request.header("Content-Type", content_type).send().await;

    assert_eq!(invalid_fields(&response), ["body"]);
    assert!(detail(&response).contains("boundary"));
    assert_eq!(body.bytes_read(), 0);
}

#[rstest]
#[case::quoted("multipart/form-data; boundary=\"XX\"")]
#[case::with_charset("multipart/form-data; charset=utf-8; boundary=XX")]
#[case::in_capitals("MULTIPART/FORM-DATA; BOUNDARY=XX")]
#[actix_web::test]
async fn the_boundary_has_several_spellings(#[case] content_type: &str) {
    let (api, [ana]) = Api::with_users().await;
    let form = Bytes::from(form(&[part(CONTENT, b"For rain.")]));

    let request = api.post(UPLOAD).by(&ana).multipart_stream(stream::iter([Ok(form)]));

    request.header("Content-Type", content_type).send().await.expect(201);
}

#[actix_web::test]
async fn too_many_bytes_outside_the_image_are_413_with_their_limit() {
    let (api, [ana]) = Api::with_users().await;
    let long = format!("{CONTENT}\r\nX-Long: {}", "x".repeat(100_000));
    let limit = json!({"limit_bytes": 65_536});

    let response = create_post(&api, &ana, &[part(&long, b"For rain.")]).await;
    assert_eq!(assert_problem(&response, 413, "payload_too_large"), limit);

    // A form that never comes to its first part.
    let body = EndlessBody::new("", &"Hello\r\n".repeat(1_000));
    let response = api.post(UPLOAD).by(&ana).multipart_stream(body.chunks()).send().await;
    assert_eq!(assert_problem(&response, 413, "payload_too_large"), limit);
    assert!(body.bytes_read() < 6_000_000, "{}", body.bytes_read());
}

#[actix_web::test]
async fn an_unknown_file_is_not_read_beyond_the_limit() {
    let (api, [ana]) = Api::with_users().await;
    let start = "--a-line-that-occurs-nowhere-else\r\nContent-Disposition: form-data; name=\"images\"; filename=\"a\"\r\n\r\n";
    let body = EndlessBody::new(start, &"x".repeat(16_384));

    let response = api.post(UPLOAD).by(&ana).multipart_stream(body.chunks()).send().await;

    let details = assert_problem(&response, 413, "payload_too_large");
    assert_eq!(details, json!({"limit_bytes": 5_242_880}));
    assert!(body.bytes_read() < 5_242_880 + 300_000, "{}", body.bytes_read());
}

#[actix_web::test]
async fn the_last_of_repeated_text_fields_wins() {
    let (api, [ana]) = Api::with_users().await;

    let parts = [part(CONTENT, b"For rain."), part(CONTENT, b"For sun.")];
    let post = create_post(&api, &ana, &parts).await.expect(201).json();

    assert_eq!(post["content"], "For sun.");
}
