//! Helpers for the tests of follows and blocks.

use std::fmt::Display;

use grateful_testkit::{Api, ApiResponse, Caller};
use serde_json::{Value, json};

/// An id that no user has.
pub(crate) const UNKNOWN_USER_ID: i64 = 9_000_000;

/// A path below `/follows`.
pub(crate) fn follow_path(rest: impl Display) -> String {
    format!("/api/v1/follows/{rest}")
}

/// A path below a user.
pub(crate) fn user_path(caller: &Caller, rest: &str) -> String {
    format!("/api/v1/users/{}/{rest}", caller.user.id)
}

pub(crate) fn user_id(caller: &Caller) -> i64 {
    caller.user.id.into()
}

pub(crate) fn username(caller: &Caller) -> &str {
    caller.user.username.as_str()
}

/// Follows the target, or requests to.
pub(crate) async fn follow(api: &Api, actor: &Caller, target: &Caller) -> ApiResponse {
    api.post(&follow_path(user_id(target))).by(actor).send().await.expect(201)
}

pub(crate) async fn block(api: &Api, actor: &Caller, target: &Caller) {
    api.post(&user_path(target, "block")).by(actor).send().await.expect(200);
}

/// Creates a user who approves followers.
pub(crate) async fn create_user_with_approval(api: &Api) -> Caller {
    let caller = api.create_user().await;
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id ="#;
    api.database().execute(&format!("{sql} {}", caller.user.id)).await;
    caller
}

/// Gets the follow status between two users, seen by `viewer`.
pub(crate) async fn get_follow_status(api: &Api, viewer: &Caller, target: &Caller) -> Value {
    let path = follow_path(format!("{}/status", user_id(target)));
    api.get(&path).by(viewer).send().await.expect(200).data()
}

/// The status object of these two states.
pub(crate) fn expected_status(outgoing: Option<&str>, incoming: Option<&str>) -> Value {
    let is_active = |state| state == Some("active");
    json!({
        "is_following": is_active(outgoing),
        "follow_status": outgoing,
        "is_followed_by": is_active(incoming),
        "reverse_status": incoming,
        "is_mutual": is_active(outgoing) && is_active(incoming),
    })
}

/// Gets the follow stats of `target`, seen by `viewer`: followers, following, pending requests, pending sent.
pub(crate) async fn get_follow_stats(api: &Api, viewer: &Caller, target: &Caller) -> [i64; 4] {
    let stats =
        api.get(&user_path(target, "follow-stats")).by(viewer).send().await.expect(200).data();
    let names = ["followers_count", "following_count", "pending_requests", "pending_sent"];
    assert_eq!(stats.as_object().unwrap().len(), names.len());
    names.map(|name| stats[name].as_i64().unwrap())
}

/// Returns the user ids of a list, in order.
pub(crate) fn user_ids(list: &Value) -> Vec<i64> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list} is not an array"));
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
