//! Access control: a table that must list every route.

use grateful_storage::Repositories;
use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_domain::{Post, PostId, UserId};
use grateful_testkit::{
    Api, Caller, PASSWORD, a_comment, a_heart, a_link_share, a_png, a_post, a_reaction, block,
};
use grateful_web::{Access, access_to};
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::{MALFORMED_IDS, UNKNOWN_ID, assert_problem, envelope_data};

/// The routes that do not require a token. This list may only shrink.
const PUBLIC: [(&str, &str); 12] = [
    ("GET", "/api/avatar/{id}"),
    ("GET", "/api/v1/notifications/stream"),
    ("GET", "/api/v1/posts/{id}"),
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/openapi-3.0.json"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/signup"),
];

/// A route on a resource of the owner, with the expected status for each kind of caller.
struct Row {
    method: &'static str,
    /// Contains a named placeholder instead of each id.
    path: &'static str,
    owner: u16,
    /// Follows the owner.
    follower: u16,
    stranger: u16,
    /// Is blocked by the owner.
    blocked: u16,
    anonymous: u16,
}

const fn row(method: &'static str, path: &'static str, statuses: [u16; 4]) -> Row {
    let [owner, stranger, blocked, anonymous] = statuses;
    Row { method, path, owner, follower: stranger, stranger, blocked, anonymous }
}

impl Row {
    /// Sets the status for followers where it differs from that for strangers.
    const fn with_follower(self, follower: u16) -> Self {
        Self { follower, ..self }
    }
}

/// Statuses for owner, stranger, blocked, anonymous. A follower gets the status of a stranger unless the row differs.
const TABLE: [Row; 93] = [
    row("GET", "/health", [200, 200, 200, 200]),
    row("GET", "/livez", [200, 200, 200, 200]),
    row("GET", "/metrics", [200, 200, 200, 200]),
    row("GET", "/readyz", [200, 200, 200, 200]),
    row("GET", "/openapi.json", [200, 200, 200, 200]),
    row("GET", "/openapi-3.0.json", [200, 200, 200, 200]),
    row("GET", "/api/avatar/{owner}", [200, 200, 200, 200]),
    row("POST", "/api/v1/auth/signup", [201, 201, 201, 201]),
    row("POST", "/api/v1/auth/login", [200, 200, 200, 200]),
    row("POST", "/api/v1/auth/logout", [200, 200, 200, 200]),
    row("GET", "/api/v1/auth/session", [200, 200, 200, 401]),
    row("GET", "/api/v1/auth/sessions", [200, 200, 200, 401]),
    row("DELETE", "/api/v1/auth/sessions/{session}", [200, 404, 404, 401]),
    row("POST", "/api/v1/auth/logout-all", [200, 200, 200, 401]),
    row("PUT", "/api/v1/auth/password", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/me/profile", [200, 200, 200, 401]),
    row("PUT", "/api/v1/users/me/profile", [200, 200, 200, 401]),
    row("POST", "/api/v1/users/me/profile/photo", [200, 200, 200, 401]),
    row("DELETE", "/api/v1/users/me/profile/photo", [404, 404, 404, 401]),
    row("GET", "/api/v1/users/me/profile/photo/default", [200, 200, 200, 401]),
    row("DELETE", "/api/v1/users/me", [204, 204, 204, 401]),
    row("GET", "/api/v1/users/me/export", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/username/{username}", [200, 200, 404, 401]),
    row("GET", "/api/v1/users/{owner}/profile", [200, 200, 404, 401]),
    row("GET", "/api/v1/users/me/posts", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/{owner}/posts", [200, 200, 404, 401]),
    row("POST", "/api/v1/users/search", [200, 200, 200, 401]),
    row("POST", "/api/v1/users/validate-batch", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/by-username/{username}", [200, 200, 404, 401]),
    row("POST", "/api/v1/users/location/search", [200, 200, 200, 401]),
    row("POST", "/api/v1/posts", [201, 201, 201, 401]),
    row("POST", "/api/v1/posts/upload", [201, 201, 201, 401]),
    row("GET", "/api/v1/posts/feed", [200, 200, 200, 401]),
    row("GET", "/api/v1/posts/trending", [200, 200, 200, 401]),
    row("GET", "/api/v1/posts/{public}", [200, 200, 404, 200]),
    row("PATCH", "/api/v1/posts/{public}", [200, 403, 404, 401]),
    row("DELETE", "/api/v1/posts/{public}", [204, 403, 404, 401]),
    row("GET", "/api/v1/posts/{private}", [200, 404, 404, 404]),
    row("PATCH", "/api/v1/posts/{private}", [200, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{private}", [204, 404, 404, 401]),
    row("GET", "/api/v1/posts/{unknown}", [404, 404, 404, 404]),
    row("POST", "/api/v1/posts/{public}/heart", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/heart", [201, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{engaged}/heart", [200, 200, 200, 401]),
    row("GET", "/api/v1/posts/{engaged}/hearts", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/hearts", [200, 404, 404, 401]),
    row("GET", "/api/v1/posts/{engaged}/hearts/users", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/hearts/users", [200, 404, 404, 401]),
    row("POST", "/api/v1/posts/{public}/reactions", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/reactions", [201, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{engaged}/reactions", [204, 204, 204, 401]),
    row("GET", "/api/v1/posts/{engaged}/reactions", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/reactions", [200, 404, 404, 401]),
    row("GET", "/api/v1/posts/{engaged}/reactions/summary", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/reactions/summary", [200, 404, 404, 401]),
    row("POST", "/api/v1/posts/{public}/share", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/share", [400, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{engaged}/share", [204, 204, 204, 401]),
    row("POST", "/api/v1/posts/{public}/comments", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/comments", [201, 404, 404, 401]),
    row("GET", "/api/v1/posts/{engaged}/comments", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/comments", [200, 404, 404, 401]),
    row("GET", "/api/v1/comments/{comment}/replies", [200, 200, 404, 401]),
    // A placeholder for the owner, who wrote the post.
    row("GET", "/api/v1/comments/{hidden_comment}/replies", [200, 200, 404, 401]),
    row("PATCH", "/api/v1/comments/{comment}", [200, 403, 404, 401]),
    row("DELETE", "/api/v1/comments/{comment}", [204, 403, 404, 401]),
    row("PATCH", "/api/v1/comments/{stranger_comment}", [403, 200, 404, 401]).with_follower(403),
    row("PATCH", "/api/v1/comments/{blocked_comment}", [404, 403, 404, 401]),
    // The blocked user deletes it, before the others try.
    row("DELETE", "/api/v1/comments/{blocked_comment}", [404, 404, 204, 401]),
    row("DELETE", "/api/v1/comments/{hidden_comment}", [204, 403, 404, 401]),
    row("POST", "/api/v1/follows/{owner}", [422, 201, 403, 401]).with_follower(409),
    row("DELETE", "/api/v1/follows/{followed}", [200, 200, 200, 401]),
    row("GET", "/api/v1/follows/{owner}/status", [200, 200, 200, 401]),
    row("POST", "/api/v1/follows/status", [200, 200, 200, 401]),
    row("GET", "/api/v1/follows/requests", [200, 200, 200, 401]),
    row("POST", "/api/v1/follows/requests/{requester}/accept", [200, 404, 404, 401]),
    row("POST", "/api/v1/follows/requests/{requester}/decline", [200, 404, 404, 401]),
    row("GET", "/api/v1/follows/suggestions", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/{owner}/followers", [200, 200, 404, 401]),
    row("DELETE", "/api/v1/users/me/followers/{follower}", [200, 404, 404, 401]),
    row("GET", "/api/v1/users/{owner}/following", [200, 200, 404, 401]),
    row("GET", "/api/v1/users/{owner}/follow-stats", [200, 200, 404, 401]),
    row("POST", "/api/v1/users/{owner}/block", [422, 200, 200, 401]),
    row("DELETE", "/api/v1/users/{owner}/block", [422, 200, 200, 401]),
    row("GET", "/api/v1/users/me/blocks", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/summary", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/stats", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/{notification}/children", [200, 404, 404, 401]),
    row("POST", "/api/v1/notifications/{notification}/read", [200, 404, 404, 401]),
    row("POST", "/api/v1/notifications/read-all", [200, 200, 200, 401]),
    row("POST", "/api/v1/notifications/stream/ticket", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/stream", [200, 200, 200, 401]),
];

#[test]
fn the_table_lists_exactly_the_documented_routes() {
    let listed = TABLE.iter().map(|row| (row.method.to_owned(), pattern_of(row.path)));
    let documented =
        operations().into_iter().map(|(method, pattern, _)| (method.to_string(), pattern));

    assert_eq!(listed.collect::<BTreeSet<_>>(), documented.collect::<BTreeSet<_>>());
}

#[test]
fn exactly_the_listed_routes_do_not_require_a_token() {
    let operations = operations();
    let public: BTreeSet<(&str, &str)> = operations
        .iter()
        .filter(|(method, pattern, _)| access_to(method, pattern) != Access::Required)
        .map(|(method, pattern, _)| (method.as_str(), pattern.as_str()))
        .collect();

    assert_eq!(public, BTreeSet::from(PUBLIC));
}

#[test]
fn the_document_declares_which_routes_require_a_token() {
    for (method, pattern, operation) in operations() {
        let security = match access_to(&method, &pattern) {
            Access::Public => json!([]),
            Access::Optional | Access::TokenOrTicket => json!([{"token": []}, {}]),
            Access::Required => json!([{"token": []}]),
        };
        assert_eq!(operation["security"], security, "{method} {pattern}");
    }
}

#[actix_web::test]
async fn every_unlisted_route_rejects_requests_without_a_token() {
    let api = Api::create().await;

    for (method, pattern, _) in operations() {
        if PUBLIC.contains(&(method.as_str(), pattern.as_str())) {
            continue;
        }
        for id in ["01937b5e-7c2a-7000-8000-000000000001", "1", "x"] {
            let path = pattern.replace("{id}", id).replace("{username}", id);
            let response = api.request(method.clone(), &path).send().await;
            assert_problem(&response, 401, "authentication_error");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{method} {pattern}");
        }
    }
}

/// A token that was valid before: the handler reads while the token is being looked up.
#[actix_web::test]
async fn every_read_rejects_a_known_token_that_is_no_longer_valid() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().by(ana.user.id).insert_into(api.database()).await.id.to_string();
    let (own_id, username) = (ana.user.id.to_string(), ana.user.username.as_str().to_owned());

    for (method, pattern, _) in operations() {
        let is_read = method == Method::GET;
        if !is_read || access_to(&method, &pattern) == Access::Public {
            continue;
        }
        for (id, query) in [(&*own_id, ""), (&*post, ""), ("x", "?limit=x&unread_only=x&view=x")] {
            let path = pattern.replace("{id}", id).replace("{username}", &username) + query;
            for method in [Method::GET, Method::HEAD] {
                api.database().execute("UPDATE sessions SET expires_at = '2027-01-01'").await;
                let known = api.get("/api/v1/auth/session").by(&ana).send().await;
                assert_eq!(known.status, 200, "{method} {path}");
                api.database().execute("UPDATE sessions SET expires_at = '2020-01-01'").await;

                let response = api.request(method.clone(), &path).by(&ana).send().await;

                assert_eq!(response.status, 401, "{method} {path}");
                assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{method} {path}");
                assert_eq!(response.header("etag"), None, "{method} {path}");
                if method == Method::GET {
                    assert_problem(&response, 401, "authentication_error");
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_known_token_gets_the_same_response_as_a_new_one() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().by(ben.user.id).insert_into(api.database()).await.id;
    for path in [
        format!("/api/v1/posts/{post}"),
        format!("/api/v1/posts/{UNKNOWN_ID}"),
        format!("/api/v1/users/{}/posts?limit=x", ben.user.id),
        format!("/api/v1/users/{}/followers", ben.user.id),
        "/api/v1/users/me/profile".to_owned(),
        "/api/v1/auth/sessions".to_owned(),
        "/api/v1/nowhere".to_owned(),
    ] {
        // A token of its own, which was not used before.
        let ana = api.log_in(ana.user.clone()).await;
        let first = api.get(&path).by(&ana).send().await;
        let second = api.get(&path).by(&ana).send().await;

        assert_eq!(first.status, second.status, "{path}");
        assert_eq!(without_ids(first.json()), without_ids(second.json()), "{path}");
    }
}

/// Removes what differs between two equal requests.
fn without_ids(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
        members.remove("timestamp");
    }
    body
}

#[actix_web::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let (api, [ana]) = Api::with_users().await;
    // A valid body of every route: unknown fields are ignored.
    let body = json!({"content": "A", "emoji_code": "hug", "share_method": "url"});

    for (method, pattern, _) in operations() {
        let resource = match pattern.split('/').nth(3) {
            Some("posts") => "post",
            Some("comments") => "comment",
            Some("notifications") => "notification",
            _ => continue,
        };
        for id in MALFORMED_IDS.into_iter().chain([UNKNOWN_ID]) {
            if pattern.contains("{id}") {
                let path = pattern.replace("{id}", id);
                let request = api.request(method.clone(), &path).by(&ana).json(&body);
                let details = assert_problem(&request.send().await, 404, "not_found");
                assert_eq!(details["resource"], resource, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn every_caller_gets_the_status_in_the_table() {
    let mut mismatches = Vec::new();
    for row in &TABLE {
        // A new scenario for each row, and the owner last, whose request may delete the resource.
        let scenario = Scenario::create().await;
        for (kind, caller, expected) in [
            ("anonymous", None, row.anonymous),
            ("blocked", Some(&scenario.blocked), row.blocked),
            ("stranger", Some(&scenario.stranger), row.stranger),
            ("follower", Some(&scenario.follower), row.follower),
            ("owner", Some(&scenario.owner), row.owner),
        ] {
            let status = scenario.request(row, caller).await;
            if status != expected {
                mismatches.push(format!("{} {}: {status} for {kind}", row.method, row.path));
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches:#?}");
}

/// An owner with resources, and other users.
struct Scenario {
    api: Api,
    owner: Caller,
    follower: Caller,
    stranger: Caller,
    blocked: Caller,
    /// Placeholders of the table with their values.
    placeholders: Vec<(&'static str, String)>,
}

impl Scenario {
    async fn create() -> Self {
        let api = Api::create().await;
        let [owner, follower] = [api.create_user().await, api.create_user().await];
        let [stranger, blocked] = [api.create_user().await, api.create_user().await];
        follow(&api, &follower, owner.user.id).await;
        block(api.database(), owner.user.id, blocked.user.id).await;
        let public = a_post().by(owner.user.id).insert_into(api.database()).await.id;
        let private = a_post().by(owner.user.id).private().insert_into(api.database()).await.id;
        let engaged = a_post().by(owner.user.id).insert_into(api.database()).await;
        for caller in [&owner, &follower, &stranger, &blocked] {
            add_engagement(&api, caller.user.id, engaged.id).await;
        }
        let comment = async |author: &Caller| {
            let comment = a_comment().by(author.user.id).on(&engaged);
            comment.insert_into(api.database()).await.id.to_string()
        };
        let sessions = api.get("/api/v1/auth/sessions").by(&owner).send().await;
        let session = envelope_data(&sessions)[0]["id"].as_str().unwrap().to_owned();
        let placeholders = vec![
            ("{owner}", owner.user.id.to_string()),
            ("{username}", owner.user.username.as_str().to_owned()),
            ("{public}", public.to_string()),
            ("{private}", private.to_string()),
            ("{unknown}", UNKNOWN_ID.to_owned()),
            ("{session}", session),
            ("{engaged}", engaged.id.to_string()),
            ("{comment}", comment(&owner).await),
            ("{stranger_comment}", comment(&stranger).await),
            ("{blocked_comment}", comment(&blocked).await),
            ("{hidden_comment}", create_hidden_comment(&api, &owner, &engaged).await),
            ("{notification}", create_notification(&api, &owner, &stranger).await),
            ("{follower}", follower.user.id.to_string()),
            ("{followed}", create_followed(&api, &[&owner, &follower, &stranger, &blocked]).await),
            ("{requester}", create_requester(&api, &owner).await),
        ];
        Self { api, owner, follower, stranger, blocked, placeholders }
    }

    async fn request(&self, row: &Row, caller: Option<&Caller>) -> u16 {
        let mut path = row.path.to_owned();
        for (placeholder, value) in &self.placeholders {
            path = path.replace(placeholder, value);
        }
        let method = Method::from_bytes(row.method.as_bytes()).unwrap();
        let mut request = self.api.request(method, &path);
        if let Some(caller) = caller {
            request = request.by(caller);
        }
        if let Some(body) = self.body_of(row.path, caller) {
            request = request.json(&body);
        }
        match (row.method, row.path) {
            ("POST", "/api/v1/users/me/profile/photo") => {
                request = request.multipart(&[("file", &a_png(8, 8))]);
            }
            (_, "/api/v1/posts/upload") => {
                request = request.multipart(&[("content", b"For rain."), ("image", &a_png(8, 8))]);
            }
            _ => (),
        }
        if row.path.ends_with("/stream") && caller.is_some() {
            return request.send_streaming().await.head.status.as_u16();
        }
        request.send().await.status.as_u16()
    }

    /// Returns a valid body, so that a rejection depends only on the caller.
    fn body_of(&self, path: &str, caller: Option<&Caller>) -> Option<Value> {
        let name = caller.map_or("guest", |caller| caller.user.username.as_str());
        let email = self.owner.user.email.as_str();
        match path {
            "/api/v1/auth/signup" => {
                let email = format!("{name}@mail.example");
                Some(
                    json!({"username": format!("new_{name}"), "email": email, "password": PASSWORD}),
                )
            }
            "/api/v1/auth/login" => Some(json!({"email": email, "password": PASSWORD})),
            "/api/v1/auth/password" => {
                Some(json!({"current_password": PASSWORD, "new_password": "battery staple"}))
            }
            "/api/v1/posts" | "/api/v1/posts/{public}" | "/api/v1/posts/{private}" => {
                Some(json!({"content": "For rain."}))
            }
            "/api/v1/follows/status" => Some(json!({"user_ids": [i64::from(self.owner.user.id)]})),
            "/api/v1/users/validate-batch" => Some(json!({"usernames": ["rain"]})),
            "/api/v1/users/me" => Some(json!({"password": PASSWORD})),
            "/api/v1/users/me/profile" => Some(json!({"bio": "Rain and sun"})),
            path if path.ends_with("/search") => Some(json!({"query": "Rain"})),
            path if path.ends_with("/reactions") => Some(json!({"emoji_code": "hug"})),
            path if path.ends_with("/share") => Some(json!({"share_method": "url"})),
            path if path.contains("/comments") => Some(json!({"content": "How lovely."})),
            _ => None,
        }
    }
}

/// Adds a heart, a reaction and a share through the repositories, as if they preceded the block.
async fn add_engagement(api: &Api, user: UserId, post: PostId) {
    let mut conn = api.database().connect().await;
    conn.hearts().add(&[a_heart(user, post)]).await.unwrap();
    conn.emoji_reactions().set(&[a_reaction(user, post)]).await.unwrap();
    conn.shares().create(&a_link_share(user, post)).await.unwrap();
}

/// Adds a heart to a post of the owner, and returns the id of the resulting notification.
async fn create_notification(api: &Api, owner: &Caller, actor: &Caller) -> String {
    let post = a_post().by(owner.user.id).insert_into(api.database()).await.id;
    api.post(&format!("/api/v1/posts/{post}/heart")).by(actor).send().await.expect(201);
    let notifications = api.get("/api/v1/notifications").by(owner).send().await.expect(200);
    notifications.json()[0]["id"].as_str().unwrap().to_owned()
}

/// Creates a comment by another user that the owner has answered and then blocked, and returns its id.
async fn create_hidden_comment(api: &Api, owner: &Caller, post: &Post) -> String {
    let author = api.create_user().await.user.id;
    let comment = a_comment().by(author).on(post).insert_into(api.database()).await;
    a_comment().by(owner.user.id).replying_to(&comment).insert_into(api.database()).await;
    block(api.database(), owner.user.id, author).await;
    comment.id.to_string()
}

/// Creates a user with these followers, and returns the user's id.
async fn create_followed(api: &Api, followers: &[&Caller]) -> String {
    let id = api.create_user().await.user.id;
    for follower in followers {
        follow(api, follower, id).await;
    }
    id.to_string()
}

async fn follow(api: &Api, follower: &Caller, target: UserId) {
    api.post(&format!("/api/v1/follows/{target}")).by(follower).send().await.expect(201);
}

/// Creates a user with a pending request to follow the owner, and returns the user's id.
async fn create_requester(api: &Api, owner: &Caller) -> String {
    let requester = api.create_user().await.user.id;
    let sql = "INSERT INTO follows (id, follower_id, followed_id, status)
               VALUES (gen_random_uuid(),";
    api.database().execute(&format!("{sql} {requester}, {}, 'pending')", owner.user.id)).await;
    requester.to_string()
}

/// Converts a path of the table to the documented pattern: every placeholder except `{username}` becomes `{id}`.
fn pattern_of(path: &str) -> String {
    let segment = |segment| match segment {
        "{username}" => segment,
        id if id.starts_with('{') => "{id}",
        fixed => fixed,
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}
