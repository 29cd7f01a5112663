//! What the tests of several subjects share.

use std::fmt::Display;

use grateful_testkit::{Api, ApiResponse, Caller};
use serde_json::{Value, json};

/// The moment at which tests happen, as it is sent.
pub(crate) const NOON: &str = "2026-01-05T12:00:00.000000Z";

/// An id that nobody has.
pub(crate) const NOBODY: i64 = 9_000_000;

/// What becomes of edges between people, at this path.
pub(crate) fn follows(rest: impl Display) -> String {
    format!("/api/v1/follows/{rest}")
}

/// A path below a person.
pub(crate) fn of(person: &Caller, rest: &str) -> String {
    format!("/api/v1/users/{}/{rest}", person.user.id)
}

pub(crate) fn id(person: &Caller) -> i64 {
    person.user.id.into()
}

pub(crate) fn name(person: &Caller) -> &str {
    person.user.username.as_str()
}

/// Lets one follow another, or ask to.
pub(crate) async fn follow(api: &Api, who: &Caller, whom: &Caller) -> ApiResponse {
    api.post(&follows(id(whom))).by(who).send().await.expect(201)
}

/// Lets one block another.
pub(crate) async fn block(api: &Api, who: &Caller, whom: &Caller) {
    api.post(&of(whom, "block")).by(who).send().await.expect(200);
}

/// Somebody who is asked before others follow them.
pub(crate) async fn shy(api: &Api) -> Caller {
    let shy = api.create_user().await;
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id ="#;
    api.database().execute(&format!("{sql} {}", shy.user.id)).await;
    shy
}

/// What one and another are to each other.
pub(crate) async fn status(api: &Api, who: &Caller, whom: &Caller) -> Value {
    let path = follows(format!("{}/status", id(whom)));
    api.get(&path).by(who).send().await.expect(200).data()
}

/// What the status says of these two edges.
pub(crate) fn edges(there: Option<&str>, back: Option<&str>) -> Value {
    let active = |edge| edge == Some("active");
    json!({
        "is_following": active(there),
        "follow_status": there,
        "is_followed_by": active(back),
        "reverse_status": back,
        "is_mutual": active(there) && active(back),
    })
}

/// What four numbers are told to one about another.
pub(crate) async fn stats(api: &Api, who: &Caller, whom: &Caller) -> [i64; 4] {
    let stats = api.get(&of(whom, "follow-stats")).by(who).send().await.expect(200).data();
    let names = ["followers_count", "following_count", "pending_requests", "pending_sent"];
    assert_eq!(stats.as_object().unwrap().len(), names.len());
    names.map(|name| stats[name].as_i64().unwrap())
}

/// The kind and the words of a failure (contract §1).
#[track_caller]
pub(crate) fn problem(answer: &ApiResponse, status: u16) -> (String, String) {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(body["message"], body["detail"]);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    (text(&body["error"]["code"]), text(&body["detail"]))
}

/// The `error.details` of a failure.
pub(crate) fn details(answer: &ApiResponse) -> Value {
    answer.json()["error"]["details"].take()
}

/// Where the header `Link` says that a list goes on (RFC 8288).
pub(crate) fn next(answer: &ApiResponse) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<').and_then(|it| it.strip_suffix(r#">; rel="next""#));
    Some(target.unwrap_or_else(|| panic!("{link} is no next link")).to_owned())
}

/// The ids in a list, in its order.
pub(crate) fn ids(list: &Value) -> Vec<i64> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is no array"));
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
