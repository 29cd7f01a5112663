//! Helpers for the tests of notifications.

use std::fmt::Display;

use chrono::TimeDelta;
use grateful_domain::{PostId, UserId};
use grateful_testkit::{Api, ApiResponse, Caller, a_post, a_user};
use serde_json::{Value, json};

use crate::support::fetch_all_pages;

/// The path of the notification list.
pub(crate) const NOTIFICATIONS: &str = "/api/v1/notifications";

/// Ana with a post, and two users who interact with it.
pub(crate) struct Scenario {
    pub(crate) api: Api,
    pub(crate) ana: Caller,
    pub(crate) ben: Caller,
    pub(crate) caro: Caller,
    pub(crate) post: PostId,
}

impl Scenario {
    pub(crate) async fn create() -> Self {
        let api = Api::create().await;
        let [ana, ben, caro] =
            [api.create_user().await, api.create_user().await, api.create_user().await];
        for (caller, name) in [(&ana, "Ana"), (&ben, "Ben 🌿"), (&caro, "Caro")] {
            set_display_name(&api, caller.user.id, name).await;
        }
        let post = a_post().by(ana.user.id).with_text("The bus driver who waited");
        let post = post.insert_into(api.database()).await.id;
        Self { api, ana, ben, caro, post }
    }

    /// Posts to a path below Ana's post, one second after the previous call.
    pub(crate) async fn act(&self, caller: &Caller, rest: &str, body: &Value) -> Value {
        self.api.app.clock.advance(TimeDelta::seconds(1));
        let path = format!("/api/v1/posts/{}/{rest}", self.post);
        self.api.post(&path).by(caller).json(body).send().await.expect(201).json()
    }

    pub(crate) async fn add_heart(&self, caller: &Caller) {
        self.act(caller, "heart", &json!({})).await;
    }

    pub(crate) async fn share_link(&self, caller: &Caller) {
        self.act(caller, "share", &json!({"share_method": "url"})).await;
    }

    /// Gets Ana's notifications.
    pub(crate) async fn list(&self) -> Vec<Value> {
        let list = self.api.get(NOTIFICATIONS).by(&self.ana).send().await.expect(200).json();
        list.as_array().unwrap().clone()
    }

    /// Fetches all pages of a list as Ana. Returns the ids of each page.
    pub(crate) async fn fetch_all_pages(&self, path: &str) -> Vec<Vec<String>> {
        fetch_all_pages(&self.api, &self.ana, path, ApiResponse::json).await
    }

    /// Gets the numbers of Ana's unread notifications and of all her notifications.
    pub(crate) async fn summary(&self) -> Value {
        self.api
            .get(&format!("{NOTIFICATIONS}/summary"))
            .by(&self.ana)
            .send()
            .await
            .expect(200)
            .json()
    }

    /// Marks a notification of Ana's as read.
    pub(crate) async fn mark_read(&self, id: impl Display) -> ApiResponse {
        self.api.post(&format!("{NOTIFICATIONS}/{id}/read")).by(&self.ana).send().await
    }
}

pub(crate) async fn set_display_name(api: &Api, user: UserId, name: &str) {
    let sql = format!("UPDATE users SET display_name = '{name}' WHERE id = {user}");
    api.database().execute(&sql).await;
}

/// Inserts `children` single notifications of Ana's, and one batch with as many children, all by a new user.
pub(crate) async fn insert_batch(scenario: &Scenario, children: u32) {
    let by = a_user().insert_into(scenario.api.database()).await.id;
    let data = json!({ "actor_user_id": by.to_string(), "actor_username": "x" });
    let sql = format!(
        "INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, seq)
         SELECT gen_random_uuid(), {ana}, {by}, 'like', 'x', 'x', '{data}', '{post}', at, at, n
         FROM generate_series(1, {children}) n, LATERAL (SELECT timestamptz '2026-01-04' + n / 2 * interval '1 s') AS it (at);
         INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, is_batch, batch_count)
         VALUES (gen_random_uuid(), {ana}, {by}, 'post_interaction', 'x', 'x', '{data}', '{post}', '2026-01-05', '2026-01-05',
             true, {children});
         INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, parent_id)
         SELECT gen_random_uuid(), {ana}, {by}, 'like', 'x', 'x', '{data}', '{post}', it.created_at, it.created_at, batch.id
         FROM notifications AS it, notifications AS batch WHERE batch.is_batch AND NOT it.is_batch",
        ana = scenario.ana.user.id,
        post = scenario.post,
    );
    scenario.api.database().execute(&sql).await;
}
