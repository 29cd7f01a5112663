//! What the tests of several resources share.

use std::fmt::Display;

use chrono::TimeDelta;
use grateful_domain::{PostId, UserId};
use grateful_testkit::{Api, ApiResponse, Caller, a_post, a_user};
use serde_json::{Value, json};

/// The moment at which tests happen, as it is sent.
pub(crate) const NOON: &str = "2026-01-05T12:00:00.000000Z";

/// An id that nothing has.
pub(crate) const NOTHINGS: &str = "01937b5e-7c2a-7000-8000-00000000ffff";

/// Ids that nothing can have. A client that sends one is told that there is no such thing.
pub(crate) const MALFORMED: [&str; 4] =
    ["7", "x", "%00", "01937b5e-7c2a-7000-8000-00000000fff%C3%BC"];

/// The list.
pub(crate) const LIST: &str = "/api/v1/notifications";

/// Ana, who has written a post, and others who may have something to say about it.
pub(crate) struct Stage {
    pub(crate) api: Api,
    pub(crate) ana: Caller,
    pub(crate) ben: Caller,
    pub(crate) caro: Caller,
    pub(crate) post: PostId,
}

impl Stage {
    pub(crate) async fn set() -> Self {
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

    /// Does something to Ana's post, a second after whatever was done before.
    pub(crate) async fn act(&self, caller: &Caller, what: &str, body: &Value) -> Value {
        self.api.app.clock.advance(TimeDelta::seconds(1));
        let path = format!("/api/v1/posts/{}/{what}", self.post);
        self.api.post(&path).by(caller).json(body).send().await.expect(201).json()
    }

    pub(crate) async fn heart(&self, caller: &Caller) {
        self.act(caller, "heart", &json!({})).await;
    }

    pub(crate) async fn link(&self, caller: &Caller) {
        self.act(caller, "share", &json!({"share_method": "url"})).await;
    }

    /// Ana's list.
    pub(crate) async fn list(&self) -> Vec<Value> {
        let list = self.api.get(LIST).by(&self.ana).send().await.expect(200).json();
        list.as_array().unwrap().clone()
    }

    /// How many of Ana's list are unread, and how many there are.
    pub(crate) async fn summary(&self) -> Value {
        self.api.get(&format!("{LIST}/summary")).by(&self.ana).send().await.expect(200).json()
    }

    /// What Ana marks read.
    pub(crate) async fn read(&self, id: impl Display) -> ApiResponse {
        self.api.post(&format!("{LIST}/{id}/read")).by(&self.ana).send().await
    }
}

/// Gives somebody a name that others see.
pub(crate) async fn set_display_name(api: &Api, user: UserId, name: &str) {
    let sql = format!("UPDATE users SET display_name = '{name}' WHERE id = {user}");
    api.database().execute(&sql).await;
}

/// Ana is told so many things, and then a batch of as many entries, all by Ben and by SQL.
pub(crate) async fn fill(stage: &Stage, entries: u32) {
    let by = a_user().insert_into(stage.api.database()).await.id;
    let sql = format!(
        "INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, seq)
         SELECT gen_random_uuid(), {ana}, {by}, 'like', 'x', 'x', '{{}}', '{post}', at, at, n
         FROM generate_series(1, {entries}) n, LATERAL (SELECT timestamptz '2026-01-04' + n / 2 * interval '1 s') AS it (at);
         INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, is_batch, batch_count)
         VALUES (gen_random_uuid(), {ana}, {by}, 'post_interaction', 'x', 'x', '{{}}', '{post}', '2026-01-05', '2026-01-05',
             true, {entries});
         INSERT INTO notifications
             (id, user_id, actor_id, type, title, message, data, post_id, created_at, last_updated_at, parent_id)
         SELECT gen_random_uuid(), {ana}, {by}, 'like', 'x', 'x', '{{}}', '{post}', it.created_at, it.created_at, batch.id
         FROM notifications AS it, notifications AS batch WHERE batch.is_batch AND NOT it.is_batch",
        ana = stage.ana.user.id,
        post = stage.post,
    );
    stage.api.database().execute(&sql).await;
}

/// The names of the fields, sorted.
#[track_caller]
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap_or_else(|| panic!("{object} is no object"));
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
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
pub(crate) async fn walk(api: &Api, caller: &Caller, start: &str) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(start.to_owned()));
    while let Some(current) = path {
        let answer = api.get(&current).by(caller).send().await.expect(200);
        pages.push(ids(&answer.json()));
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
