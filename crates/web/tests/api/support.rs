//! Helpers shared by the tests of several routes.

pub(crate) mod captured_log;
pub(crate) mod follows;
pub(crate) mod notifications;

use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use grateful_testkit::{Api, ApiResponse, BOUNDARY, Caller};
use serde_json::{Value, json};

/// The default time of tests, as JSON has it.
pub(crate) const NOON: &str = "2026-01-05T12:00:00.000000Z";

/// An id that no row has.
pub(crate) const UNKNOWN_ID: &str = "01937b5e-7c2a-7000-8000-00000000ffff";

/// Path segments that are not ids. Routes respond to them as to [`UNKNOWN_ID`]: 404.
pub(crate) const MALFORMED_IDS: [&str; 4] =
    ["7", "x", "%00", "01937b5e-7c2a-7000-8000-00000000fff%C3%BC"];

/// The fields of a post (docs/http-api.md#shapes), sorted.
pub(crate) const POST_FIELDS: [&str; 17] = [
    "author",
    "author_id",
    "comments_count",
    "content",
    "created_at",
    "current_user_reaction",
    "hearts_count",
    "id",
    "image_url",
    "is_hearted",
    "is_public",
    "location",
    "post_type",
    "reactions_count",
    "shares_count",
    "title",
    "updated_at",
];

/// The fields of an author (docs/http-api.md#shapes), sorted.
pub(crate) const AUTHOR_FIELDS: [&str; 6] =
    ["display_name", "id", "image", "name", "profile_image_url", "username"];

/// Returns the field names of a JSON object, sorted.
#[track_caller]
pub(crate) fn sorted_keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap_or_else(|| panic!("{object} is not an object"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Returns `data` of a success response and asserts the rest of the envelope (docs/http-api.md#success-bodies).
#[track_caller]
pub(crate) fn envelope_data(response: &ApiResponse) -> Value {
    let mut body = response.json();
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(sorted_keys(&body), ["data", "request_id", "success", "timestamp"]);
    assert_eq!(body["success"], true);
    assert_eq!(body["timestamp"], timestamp_of(response));
    assert_eq!(body["request_id"].as_str(), response.header("x-request-id"));
    body["data"].take()
}

/// Returns `error.details` of an error response and asserts its status, its code, and the rest of its body
/// (docs/http-api.md#errors).
#[track_caller]
pub(crate) fn assert_problem(response: &ApiResponse, status: u16, code: &str) -> Value {
    let mut body = response.json();
    assert_eq!(response.status.as_u16(), status, "{body}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let members = ["detail", "error", "message", "request_id", "status", "success", "timestamp"];
    assert_eq!(sorted_keys(&body), [&members[..], &["title", "type"]].concat());
    assert_eq!(body["type"], format!("urn:grateful:problem:{code}"));
    assert_eq!(body["status"], status);
    assert_eq!(body["success"], false);
    assert_eq!(body["timestamp"], timestamp_of(response));
    assert_eq!(body["request_id"].as_str(), response.header("x-request-id"));
    assert_eq!(body["message"], body["detail"]);
    let mut error = body["error"].take();
    assert_eq!(sorted_keys(&error), ["code", "details", "message"]);
    assert_eq!(error["code"], code);
    assert_eq!(error["message"], body["detail"]);
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty() && !detail.ends_with('.'), "{detail}");
    error["details"].take()
}

/// The time of the request, as JSON has it.
fn timestamp_of(response: &ApiResponse) -> String {
    response.requested_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Asserts the status of an error response. Returns its code and its detail (docs/http-api.md#errors).
#[track_caller]
pub(crate) fn problem_code_and_detail(response: &ApiResponse, status: u16) -> (String, String) {
    let body = response.json();
    assert_eq!(response.status.as_u16(), status, "{body}");
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(body["status"], status);
    assert_eq!(body["message"], body["detail"]);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    (text(&body["error"]["code"]), text(&body["detail"]))
}

/// Returns `error.details` of an error response.
pub(crate) fn error_details(response: &ApiResponse) -> Value {
    response.json()["error"]["details"].take()
}

/// Asserts a validation error and returns the names of the invalid fields, sorted.
#[track_caller]
pub(crate) fn invalid_fields(response: &ApiResponse) -> Vec<String> {
    let details = assert_problem(response, 422, "validation_error");
    assert_eq!(sorted_keys(&details), ["fields"]);
    sorted_keys(&details["fields"]).into_iter().map(str::to_owned).collect()
}

/// Publishes a post and returns its id.
pub(crate) async fn create_post(api: &Api, author: &Caller, content: &str) -> String {
    let body = json!({"content": content});
    let response = api.post("/api/v1/posts/").by(author).json(&body).send().await.expect(201);
    response.json()["id"].as_str().unwrap().to_owned()
}

/// The path of a post.
pub(crate) fn post_path(id: impl Display) -> String {
    format!("/api/v1/posts/{id}")
}

/// A path below a post.
pub(crate) fn post_subpath(id: impl Display, rest: &str) -> String {
    format!("/api/v1/posts/{id}/{rest}")
}

/// Returns the ids of a list, in order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is not an array"));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns the URL of the next page from the `Link` header (RFC 8288).
pub(crate) fn next_link(response: &ApiResponse) -> Option<String> {
    let link = response.header("link")?;
    let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(r#">; rel="next""#));
    Some(target.unwrap_or_else(|| panic!("{link} is not a next link")).to_owned())
}

/// Follows the `Link` headers of a list to its end. Returns the ids of each page. `list` extracts the list from a
/// response.
pub(crate) async fn fetch_all_pages(
    api: &Api,
    caller: &Caller,
    start: &str,
    list: impl Fn(&ApiResponse) -> Value,
) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(start.to_owned()));
    while let Some(current) = path {
        let response = api.get(&current).by(caller).send().await.expect(200);
        pages.push(ids(&list(&response)));
        path = next_link(&response);
        assert!(pages.len() <= 100, "the list does not end");
    }
    pages
}

/// Inserts 101 users (one more than the largest page), then runs `insert FROM users …` for them.
pub(crate) async fn insert_101_users(api: &Api, insert: &str) {
    let sql = "INSERT INTO users (email, username, hashed_password)
               SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 101) n";
    api.database()
        .execute(&format!("{sql}; {insert} FROM users WHERE hashed_password = 'x'"))
        .await;
}

/// Asserts the pagination of a list of 101 items: page sizes, order, offsets, and rejected parameters.
pub(crate) async fn assert_pagination(
    api: &Api,
    caller: &Caller,
    path: &str,
    list: impl Fn(&ApiResponse) -> Value + Copy,
) {
    let pages = fetch_all_pages(api, caller, path, list).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    let all = pages.concat();

    let pages = fetch_all_pages(api, caller, &format!("{path}?limit=40"), list).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 21]);
    assert_eq!(pages.concat(), all);

    let last = api.get(&format!("{path}?limit=2&offset=99")).by(caller).send().await.expect(200);
    assert_eq!(ids(&list(&last)), all[99..]);
    assert_eq!(next_link(&last), None);

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("cursor=x", "cursor"),
        // The cursors of another list and of an earlier version.
        ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("cursor=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
    ] {
        let response = api.get(&format!("{path}?{query}")).by(caller).send().await;
        assert_eq!(invalid_fields(&response), [field], "{query}");
    }
}

/// An endless request body that counts how much of it was read.
#[derive(Debug, Clone)]
pub(crate) struct EndlessBody {
    prefix: Bytes,
    chunk: Bytes,
    bytes_read: Rc<Cell<usize>>,
}

impl EndlessBody {
    /// Creates a body that starts with `prefix` and repeats `chunk`.
    pub(crate) fn new(prefix: &str, chunk: &str) -> Self {
        let [prefix, chunk] = [prefix, chunk].map(|text| Bytes::copy_from_slice(text.as_bytes()));
        Self { prefix, chunk, bytes_read: Rc::default() }
    }

    /// Creates a multipart form whose only part has this name and does not end.
    pub(crate) fn multipart(name: &str) -> Self {
        let file = if ["file", "image"].contains(&name) { "; filename=\"x.png\"" } else { "" };
        let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        Self::new(&format!("--{BOUNDARY}\r\n{head}\r\n\r\n"), &"x".repeat(16_384))
    }

    pub(crate) fn chunks(&self) -> impl Stream<Item = Result<Bytes, PayloadError>> + use<> {
        let Self { prefix, chunk, bytes_read } = self.clone();
        stream::once(async move { prefix }).chain(stream::repeat(chunk)).map(move |chunk| {
            bytes_read.set(bytes_read.get() + chunk.len());
            Ok(chunk)
        })
    }

    pub(crate) fn bytes_read(&self) -> usize {
        self.bytes_read.get()
    }
}
