//! What the tests of several resources share.

use std::fmt::Display;

use grateful_testkit::{Api, ApiResponse, Caller};
use serde_json::Value;

/// The moment at which tests happen, as it is sent.
pub(crate) const NOON: &str = "2026-01-05T12:00:00.000000Z";

/// An id that nothing has.
pub(crate) const NOTHINGS: &str = "01937b5e-7c2a-7000-8000-00000000ffff";

/// Ids that nothing can have. A client that sends one is told that there is no such thing.
pub(crate) const MALFORMED: [&str; 4] =
    ["7", "x", "%00", "01937b5e-7c2a-7000-8000-00000000fff%C3%BC"];

/// A path below a post.
pub(crate) fn path(post: impl Display, rest: &str) -> String {
    format!("/api/v1/posts/{post}/{rest}")
}

/// The names of the fields, sorted.
#[track_caller]
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
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"));
    body["data"].take()
}

/// The kind and the words of a failure (contract §1).
#[track_caller]
pub(crate) fn problem(answer: &ApiResponse, status: u16) -> (String, String) {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(body["status"], status);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    (text(&body["error"]["code"]), text(&body["detail"]))
}

/// The `error.details` of a failure.
pub(crate) fn details(answer: &ApiResponse) -> Value {
    answer.json()["error"]["details"].take()
}

/// The fields that were refused, sorted.
#[track_caller]
pub(crate) fn refused_fields(answer: &ApiResponse) -> Vec<String> {
    assert_eq!(problem(answer, 422).0, "validation_error");
    keys(&details(answer)["fields"]).into_iter().map(str::to_owned).collect()
}

/// Where the header `Link` says that a list goes on (RFC 8288).
pub(crate) fn next(answer: &ApiResponse) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<').and_then(|it| it.strip_suffix(r#">; rel="next""#));
    Some(target.unwrap_or_else(|| panic!("{link} is no next link")).to_owned())
}

/// Follows the links of a list to its end. The ids that were met, page by page.
pub(crate) async fn walk(
    api: &Api,
    caller: &Caller,
    start: &str,
    list: impl Fn(&ApiResponse) -> Value,
) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(start.to_owned()));
    while let Some(current) = path {
        let answer = api.get(&current).by(caller).send().await.expect(200);
        pages.push(ids(&list(&answer)));
        path = next(&answer);
        assert!(pages.len() <= 100, "the list does not end");
    }
    pages
}

/// The ids in a list, in its order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is no array"));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A hundred and one people who do the same with a post, by SQL that is told who they are: one more than a page holds.
pub(crate) async fn a_crowd(api: &Api, act: &str) {
    let sql = "INSERT INTO users (email, username, hashed_password)
               SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 101) n";
    api.database().execute(&format!("{sql}; {act} FROM users WHERE hashed_password = 'x'")).await;
}

/// Asserts that a list has at most 100 entries at once, takes what other lists take, and refuses what they refuse.
pub(crate) async fn assert_is_paged(
    api: &Api,
    caller: &Caller,
    path: &str,
    list: impl Fn(&ApiResponse) -> Value + Copy,
) {
    let pages = walk(api, caller, path, list).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    let all = pages.concat();

    let pages = walk(api, caller, &format!("{path}?limit=40"), list).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 21]);
    assert_eq!(pages.concat(), all);

    let part = api.get(&format!("{path}?limit=2&offset=99")).by(caller).send().await.expect(200);
    assert_eq!(ids(&list(&part)), all[99..]);
    assert_eq!(next(&part), None);

    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("cursor=x", "cursor"),
        // That of another list.
        ("cursor=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
    ] {
        let refused = api.get(&format!("{path}?{query}")).by(caller).send().await;
        assert_eq!(refused_fields(&refused), [field], "{query}");
    }
}
