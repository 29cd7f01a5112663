//! Who may call what: a table that must name every route.

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_domain::{PostId, UserId};
use grateful_storage::Repositories;
use grateful_testkit::{
    Api, Caller, PASSWORD, a_comment, a_heart, a_link_share, a_png, a_post, a_reaction, block,
};
use grateful_web::{Access, access_to};
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::{assert_problem, envelope_data};

/// What can be called without a token. This list may only shrink.
const PUBLIC: [(&str, &str); 11] = [
    ("GET", "/api/avatar/{id}"),
    ("GET", "/api/v1/notifications/stream"),
    ("GET", "/api/v1/posts/{id}"),
    ("GET", "/health"),
    ("GET", "/livez"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/auth/signup"),
];

/// A route on something that belongs to the owner, and what it answers to whom.
struct Row {
    method: &'static str,
    /// With what is meant in place of an id.
    path: &'static str,
    owner: u16,
    /// Who follows the owner.
    follower: u16,
    stranger: u16,
    /// Blocked by the owner.
    blocked: u16,
    anonymous: u16,
}

const fn row(method: &'static str, path: &'static str, to: [u16; 4]) -> Row {
    let [owner, stranger, blocked, anonymous] = to;
    Row { method, path, owner, follower: stranger, stranger, blocked, anonymous }
}

impl Row {
    /// Where following makes a difference.
    const fn but_followers(self, follower: u16) -> Self {
        Self { follower, ..self }
    }
}

/// Owner, stranger, blocked, anonymous; a follower gets what a stranger gets, but where the row says otherwise.
const TABLE: [Row; 88] = [
    row("GET", "/health", [200, 200, 200, 200]),
    row("GET", "/livez", [200, 200, 200, 200]),
    row("GET", "/metrics", [200, 200, 200, 200]),
    row("GET", "/readyz", [200, 200, 200, 200]),
    row("GET", "/openapi.json", [200, 200, 200, 200]),
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
    row("GET", "/api/v1/posts/{nobodys}", [404, 404, 404, 404]),
    row("POST", "/api/v1/posts/{public}/heart", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/heart", [201, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{answered}/heart", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{answered}/hearts", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/hearts", [200, 404, 404, 401]),
    row("GET", "/api/v1/posts/{answered}/hearts/users", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/hearts/users", [200, 404, 404, 401]),
    row("POST", "/api/v1/posts/{public}/reactions", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/reactions", [201, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{answered}/reactions", [204, 204, 404, 401]),
    row("GET", "/api/v1/posts/{answered}/reactions", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/reactions", [200, 404, 404, 401]),
    row("GET", "/api/v1/posts/{answered}/reactions/summary", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/reactions/summary", [200, 404, 404, 401]),
    row("POST", "/api/v1/posts/{public}/share", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/share", [400, 404, 404, 401]),
    row("DELETE", "/api/v1/posts/{answered}/share", [204, 204, 404, 401]),
    row("POST", "/api/v1/posts/{public}/comments", [201, 201, 404, 401]),
    row("POST", "/api/v1/posts/{private}/comments", [201, 404, 404, 401]),
    row("GET", "/api/v1/posts/{answered}/comments", [200, 200, 404, 401]),
    row("GET", "/api/v1/posts/{private}/comments", [200, 404, 404, 401]),
    row("GET", "/api/v1/comments/{comment}/replies", [200, 200, 404, 401]),
    row("PATCH", "/api/v1/comments/{comment}", [200, 403, 404, 401]),
    row("DELETE", "/api/v1/comments/{comment}", [204, 403, 404, 401]),
    row("PATCH", "/api/v1/comments/{strangers}", [403, 200, 404, 401]).but_followers(403),
    row("DELETE", "/api/v1/comments/{blockeds}", [404, 403, 404, 401]),
    row("POST", "/api/v1/follows/{owner}", [422, 201, 403, 401]).but_followers(409),
    row("DELETE", "/api/v1/follows/{followed}", [200, 200, 200, 401]),
    row("GET", "/api/v1/follows/{owner}/status", [200, 200, 200, 401]),
    row("POST", "/api/v1/follows/status", [200, 200, 200, 401]),
    row("GET", "/api/v1/follows/requests", [200, 200, 200, 401]),
    row("POST", "/api/v1/follows/requests/{asker}/accept", [200, 404, 404, 401]),
    row("POST", "/api/v1/follows/requests/{asker}/decline", [200, 404, 404, 401]),
    row("GET", "/api/v1/follows/suggestions", [200, 200, 200, 401]),
    row("GET", "/api/v1/users/{owner}/followers", [200, 200, 404, 401]),
    row("GET", "/api/v1/users/{owner}/following", [200, 200, 404, 401]),
    row("GET", "/api/v1/users/{owner}/follow-stats", [200, 200, 404, 401]),
    row("POST", "/api/v1/users/{owner}/block", [422, 200, 200, 401]),
    row("DELETE", "/api/v1/users/{owner}/block", [422, 200, 200, 401]),
    row("GET", "/api/v1/users/me/blocks", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/summary", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/stats", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/{told}/children", [200, 404, 404, 401]),
    row("POST", "/api/v1/notifications/{told}/read", [200, 404, 404, 401]),
    row("POST", "/api/v1/notifications/read-all", [200, 200, 200, 401]),
    row("POST", "/api/v1/notifications/stream/ticket", [200, 200, 200, 401]),
    row("GET", "/api/v1/notifications/stream", [200, 200, 200, 401]),
];

#[test]
fn the_table_names_every_route_of_the_document_and_no_other() {
    let named = TABLE.iter().map(|row| (row.method.to_owned(), pattern_of(row.path)));
    let documented =
        operations().into_iter().map(|(method, pattern, _)| (method.to_string(), pattern));

    assert_eq!(named.collect::<BTreeSet<_>>(), documented.collect::<BTreeSet<_>>());
}

#[test]
fn nothing_is_public_that_is_not_on_the_list() {
    let operations = operations();
    let open: BTreeSet<(&str, &str)> = operations
        .iter()
        .filter(|(method, pattern, _)| access_to(method, pattern) != Access::Required)
        .map(|(method, pattern, _)| (method.as_str(), pattern.as_str()))
        .collect();

    assert_eq!(open, BTreeSet::from(PUBLIC));
}

#[test]
fn the_document_says_what_needs_a_token() {
    for (method, pattern, operation) in operations() {
        let security = match access_to(&method, &pattern) {
            Access::Public => Value::Null,
            Access::Optional => json!([{"token": []}, {}]),
            Access::Required => json!([{"token": []}]),
        };
        assert_eq!(operation["security"], security, "{method} {pattern}");
    }
}

#[actix_web::test]
async fn without_a_token_every_route_that_is_not_on_the_list_is_closed() {
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

#[actix_web::test]
async fn everybody_gets_what_the_table_says() {
    let mut wrong = Vec::new();
    for row in &TABLE {
        // A world of its own for each row, and the owner last, who may end it.
        let world = World::create().await;
        for (who, caller, expected) in [
            ("anonymous", None, row.anonymous),
            ("blocked", Some(&world.blocked), row.blocked),
            ("stranger", Some(&world.stranger), row.stranger),
            ("follower", Some(&world.follower), row.follower),
            ("owner", Some(&world.owner), row.owner),
        ] {
            let status = world.request(row, caller).await;
            if status != expected {
                wrong.push(format!("{} {}: {status} to {who}", row.method, row.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Somebody with something, and others.
struct World {
    api: Api,
    owner: Caller,
    follower: Caller,
    stranger: Caller,
    blocked: Caller,
    names: Vec<(&'static str, String)>,
}

impl World {
    async fn create() -> Self {
        let api = Api::create().await;
        let [owner, follower] = [api.create_user().await, api.create_user().await];
        let [stranger, blocked] = [api.create_user().await, api.create_user().await];
        follow(&api, &follower, owner.user.id).await;
        block(api.database(), owner.user.id, blocked.user.id).await;
        let public = a_post().by(owner.user.id).insert_into(api.database()).await.id;
        let private = a_post().by(owner.user.id).private().insert_into(api.database()).await.id;
        let answered = a_post().by(owner.user.id).insert_into(api.database()).await;
        for caller in [&owner, &follower, &stranger, &blocked] {
            add_engagement(&api, caller.user.id, answered.id).await;
        }
        let comment = async |by: &Caller| {
            let comment = a_comment().by(by.user.id).on(&answered);
            comment.insert_into(api.database()).await.id.to_string()
        };
        let sessions = api.get("/api/v1/auth/sessions").by(&owner).send().await;
        let session = envelope_data(&sessions)[0]["id"].as_str().unwrap().to_owned();
        let names = vec![
            ("{owner}", owner.user.id.to_string()),
            ("{username}", owner.user.username.as_str().to_owned()),
            ("{public}", public.to_string()),
            ("{private}", private.to_string()),
            ("{nobodys}", crate::support::UNKNOWN_ID.to_owned()),
            ("{session}", session),
            ("{answered}", answered.id.to_string()),
            ("{comment}", comment(&owner).await),
            ("{strangers}", comment(&stranger).await),
            ("{blockeds}", comment(&blocked).await),
            ("{told}", create_notification(&api, &owner, &stranger).await),
            ("{followed}", followed(&api, &[&owner, &follower, &stranger, &blocked]).await),
            ("{asker}", asker(&api, &owner).await),
        ];
        Self { api, owner, follower, stranger, blocked, names }
    }

    async fn request(&self, row: &Row, caller: Option<&Caller>) -> u16 {
        let mut path = row.path.to_owned();
        for (name, id) in &self.names {
            path = path.replace(name, id);
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

    /// A body that is right, so that whoever is refused is refused for who they are.
    fn body_of(&self, path: &str, caller: Option<&Caller>) -> Option<Value> {
        let name = caller.map_or("nobody".to_owned(), |it| it.user.username.as_str().to_owned());
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

/// Gives a post a heart and an emoji, and takes its link: as if from before there were blocks.
async fn add_engagement(api: &Api, user: UserId, post: PostId) {
    let mut conn = api.database().connect().await;
    conn.hearts().add(&a_heart(user, post)).await.unwrap();
    conn.emoji_reactions().set(&a_reaction(user, post)).await.unwrap();
    conn.shares().create(&a_link_share(user, post)).await.unwrap();
}

/// What the owner is told when somebody gives a post of theirs a heart.
async fn create_notification(api: &Api, owner: &Caller, by: &Caller) -> String {
    let post = a_post().by(owner.user.id).insert_into(api.database()).await.id;
    api.post(&format!("/api/v1/posts/{post}/heart")).by(by).send().await.expect(201);
    let told = api.get("/api/v1/notifications").by(owner).send().await.expect(200);
    told.json()[0]["id"].as_str().unwrap().to_owned()
}

/// Somebody whom all these follow.
async fn followed(api: &Api, by: &[&Caller]) -> String {
    let id = api.create_user().await.user.id;
    for follower in by {
        follow(api, follower, id).await;
    }
    id.to_string()
}

async fn follow(api: &Api, who: &Caller, whom: UserId) {
    api.post(&format!("/api/v1/follows/{whom}")).by(who).send().await.expect(201);
}

/// Somebody who has asked to follow the owner.
async fn asker(api: &Api, owner: &Caller) -> String {
    let asker = api.create_user().await.user.id;
    let sql = "INSERT INTO follows (id, follower_id, followed_id, status)
               VALUES (gen_random_uuid(),";
    api.database().execute(&format!("{sql} {asker}, {}, 'pending')", owner.user.id)).await;
    asker.to_string()
}

/// The pattern in the document: every id is called that, and every name a username.
fn pattern_of(path: &str) -> String {
    let part = |part| match part {
        "{username}" => part,
        id if id.starts_with('{') => "{id}",
        fixed => fixed,
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
