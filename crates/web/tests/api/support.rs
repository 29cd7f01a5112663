//! What the tests of several resources share.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use grateful_testkit::{Api, ApiResponse, BOUNDARY, Caller};
use serde_json::{Value, json};

/// The moment at which tests happen, as it is sent.
pub(crate) const NOON: &str = "2026-01-05T12:00:00.000000Z";

/// An id that no post and no session has.
pub(crate) const NOBODYS: &str = "01937b5e-7c2a-7000-8000-00000000ffff";

/// The fields of a post (contract §2).
pub(crate) const POST: [&str; 17] = [
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

/// The fields of an author (contract §2).
pub(crate) const AUTHOR: [&str; 6] =
    ["display_name", "id", "image", "name", "profile_image_url", "username"];

/// The names of the fields, sorted.
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap_or_else(|| panic!("{object} is no object"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// What is in the envelope of a success, whose every other part is right (contract §1).
#[track_caller]
pub(crate) fn enveloped(answer: &ApiResponse) -> Value {
    let mut body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(keys(&body), ["data", "request_id", "success", "timestamp"]);
    assert_eq!(body["success"], true);
    assert_eq!(body["timestamp"], NOON);
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"));
    body["data"].take()
}

/// The `error.details` of a failure, whose every other part is right (contract §1).
#[track_caller]
pub(crate) fn problem(answer: &ApiResponse, status: u16, code: &str) -> Value {
    let mut body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let members = ["detail", "error", "message", "request_id", "status", "success", "timestamp"];
    assert_eq!(keys(&body), [&members[..], &["title", "type"]].concat());
    assert_eq!(body["type"], format!("urn:grateful:problem:{code}"));
    assert_eq!(body["status"], status);
    assert_eq!(body["success"], false);
    assert_eq!(body["timestamp"], NOON);
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(body["message"], body["detail"]);
    let mut error = body["error"].take();
    assert_eq!(keys(&error), ["code", "details", "message"]);
    assert_eq!(error["code"], code);
    assert_eq!(error["message"], body["detail"]);
    assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
    let detail = body["detail"].as_str().unwrap_or_default();
    assert!(!detail.is_empty() && !detail.ends_with('.'), "{detail}");
    error["details"].take()
}

/// The fields that were refused, sorted.
#[track_caller]
pub(crate) fn refused_fields(answer: &ApiResponse) -> Vec<String> {
    let details = problem(answer, 422, "validation_error");
    assert_eq!(keys(&details), ["fields"]);
    keys(&details["fields"]).into_iter().map(str::to_owned).collect()
}

/// Publishes a post, which is then of this id.
pub(crate) async fn published(api: &Api, author: &Caller, content: &str) -> String {
    let body = json!({"content": content});
    let answer = api.post("/api/v1/posts/").by(author).json(&body).send().await.expect(201);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The path to a post.
pub(crate) fn path_to(id: impl std::fmt::Display) -> String {
    format!("/api/v1/posts/{id}")
}

/// The ids in a list, in its order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is no array"));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Where the header `Link` says that a list goes on (RFC 8288).
pub(crate) fn next(answer: &ApiResponse) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<').and_then(|it| it.strip_suffix(r#">; rel="next""#));
    Some(target.unwrap_or_else(|| panic!("{link} is no next link")).to_owned())
}

/// Follows the links of a list to its end. The ids that were met, in order, and in how many pages.
pub(crate) async fn walk(
    api: &Api,
    caller: &Caller,
    start: &str,
    list: impl Fn(&ApiResponse) -> Value,
) -> (Vec<String>, usize) {
    let (mut met, mut pages, mut path) = (Vec::new(), 0, Some(start.to_owned()));
    while let Some(current) = path {
        let answer = api.get(&current).by(caller).send().await.expect(200);
        met.extend(ids(&list(&answer)));
        pages += 1;
        path = next(&answer);
        assert!(pages <= 100, "the list does not end");
    }
    (met, pages)
}

/// A body that does not end, and how much of it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Endless {
    start: Bytes,
    more: Bytes,
    taken: Rc<Cell<usize>>,
}

impl Endless {
    /// One that begins like this and goes on like that.
    pub(crate) fn of(start: &str, more: &str) -> Self {
        let [start, more] = [start, more].map(|text| Bytes::copy_from_slice(text.as_bytes()));
        Self { start, more, taken: Rc::default() }
    }

    /// A form whose only part has this name.
    pub(crate) fn part(name: &str) -> Self {
        let file = if ["file", "image"].contains(&name) { "; filename=\"x.png\"" } else { "" };
        let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        Self::of(&format!("--{BOUNDARY}\r\n{head}\r\n\r\n"), &"x".repeat(16_384))
    }

    pub(crate) fn bits(&self) -> impl Stream<Item = Result<Bytes, PayloadError>> + use<> {
        let Self { start, more, taken } = self.clone();
        stream::once(async move { start }).chain(stream::repeat(more)).map(move |bit| {
            taken.set(taken.get() + bit.len());
            Ok(bit)
        })
    }

    /// In bytes.
    pub(crate) fn taken(&self) -> usize {
        self.taken.get()
    }
}
