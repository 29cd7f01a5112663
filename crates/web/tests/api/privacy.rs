//! What is told of nobody else: their address, what proves who they are, and what opens their account.

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_storage::Repositories;
use grateful_testkit::{
    Api, Caller, a_comment, a_heart, a_link_share, a_message_share, a_png_with_comment, a_post,
    a_reaction,
};
use serde_json::json;

use crate::openapi::operations;

/// What everybody's address ends in.
const ADDRESSES: &str = "@example.org";

#[actix_web::test]
async fn no_answer_has_an_address_a_hash_or_a_token_of_somebody_else() {
    let world = World::create().await;
    let mut told = BTreeSet::new();
    let mut own_address_was_seen = false;

    for (method, pattern, _) in operations() {
        let reads = method == Method::GET;
        // Signing in answers with what is secret, to whoever proves who they are.
        if !reads && (method != Method::POST || pattern.contains("/auth/")) {
            continue;
        }
        for path in world.paths(&pattern) {
            let (status, body) = world.ask(method.clone(), &path).await;
            world.assert_tells_no_secret(&format!("{method} {path}"), &body);
            own_address_was_seen |= body.contains(world.stranger.user.email.as_str());
            if (200..300).contains(&status) {
                told.insert((method.to_string(), pattern.clone()));
            }
        }
    }

    // A sweep that is refused everywhere finds nothing.
    assert!(own_address_was_seen);
    let read = operations().into_iter().filter(|(method, ..)| method == Method::GET);
    for (method, pattern, _) in read {
        assert!(
            told.contains(&(method.to_string(), pattern.clone())),
            "nothing is told at {pattern}"
        );
    }
}

/// Cameras write into a file where it was taken, and by whom.
#[actix_web::test]
async fn no_file_that_is_served_says_what_else_was_in_the_picture() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let secret = "Rua da Saudade 7";
    let picture = a_png_with_comment(secret);
    let tells = |file: &[u8]| file.windows(secret.len()).any(|it| it == secret.as_bytes());
    assert!(tells(&picture));

    let photo =
        api.post("/api/v1/users/me/profile/photo").by(&ana).multipart(&[("file", &picture)]);
    let photo = photo.send().await.expect(200).data();
    let form = [("content", &b"Look!"[..]), ("image", &picture)];
    let post = api.post("/api/v1/posts/upload").by(&ana).multipart(&form).send().await.expect(201);
    let post = post.json();

    let urls = photo["urls"].as_object().unwrap().values().chain([&post["image_url"]]);
    for url in urls.map(|url| url.as_str().unwrap()) {
        let file = api.get(url).send().await.expect(200);
        assert!(!tells(&file.body), "{url}");
    }
}

/// Two who know each other, and somebody who has to do with both.
struct World {
    api: Api,
    stranger: Caller,
    others: [Caller; 2],
    ids: Vec<String>,
    username: String,
}

impl World {
    async fn create() -> Self {
        let api = Api::create().await;
        let [stranger, ana, ben] =
            [api.create_user().await, api.create_user().await, api.create_user().await];
        let theirs = a_post().by(ana.user.id).insert_into(api.database()).await;
        let own = a_post().by(stranger.user.id).insert_into(api.database()).await;
        let mut conn = api.database().connect().await;
        for post in [&theirs, &own] {
            for who in [&ana, &ben, &stranger] {
                conn.emoji_reactions().set(&a_reaction(who.user.id, post.id)).await.unwrap();
                conn.shares().create(&a_link_share(who.user.id, post.id)).await.unwrap();
            }
            conn.hearts().add(&a_heart(stranger.user.id, post.id)).await.unwrap();
        }
        conn.shares()
            .create(&a_message_share(ana.user.id, own.id, &[stranger.user.id]))
            .await
            .unwrap();
        let comment = a_comment().by(ben.user.id).on(&theirs).insert_into(api.database()).await;
        a_comment().by(ana.user.id).replying_to(&comment).insert_into(api.database()).await;
        // Who follows, who was asked, and hearts of several, so that there are batches.
        for (who, path) in [
            (&ana, format!("/api/v1/follows/{}", stranger.user.id)),
            (&ben, format!("/api/v1/follows/{}", stranger.user.id)),
            (&ben, format!("/api/v1/follows/{}", ana.user.id)),
            (&ana, format!("/api/v1/posts/{}/heart", own.id)),
            (&ben, format!("/api/v1/posts/{}/heart", own.id)),
        ] {
            api.post(&path).by(who).send().await.expect(201);
        }
        let told = api.get("/api/v1/notifications").by(&stranger).send().await.json();
        let batches = told.as_array().unwrap().iter().filter(|it| it["is_batch"] == true);
        let mut ids: Vec<String> =
            batches.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert!(!ids.is_empty(), "{told}");
        for who in [&stranger, &ana, &ben] {
            ids.push(who.user.id.to_string());
        }
        ids.extend([theirs.id.to_string(), own.id.to_string(), comment.id.to_string()]);
        let username = ana.user.username.as_str().to_owned();
        Self { api, stranger, others: [ana, ben], ids, username }
    }

    /// The path of a route for everything that it may be about.
    fn paths(&self, pattern: &str) -> Vec<String> {
        let pattern = pattern.replace("{username}", &self.username);
        let of = |id: &String| pattern.replace("{id}", id);
        let mut paths: Vec<String> = self.ids.iter().map(of).collect();
        paths.dedup();
        assert!(paths.iter().all(|path| !path.contains('{')), "{pattern} is about something new");
        paths
    }

    async fn ask(&self, method: Method, path: &str) -> (u16, String) {
        let request = self.api.request(method.clone(), path).by(&self.stranger);
        if path.ends_with("/stream") {
            let mut opened = request.header("Last-Event-ID", "0").send_streaming().await;
            let mut text = opened.next_chunk().await.unwrap();
            text.push_str(&opened.next_chunk().await.unwrap());
            return (opened.head.status.as_u16(), text);
        }
        let names: Vec<&str> =
            self.others.iter().map(|other| other.user.username.as_str()).collect();
        let ids: Vec<i64> = self.others.iter().map(|other| other.user.id.into()).collect();
        let request = if method == Method::POST {
            request.json(&json!({
                "query": "person", "usernames": names, "user_ids": ids, "content": "How lovely",
                "emoji_code": "star", "share_method": "message", "recipient_ids": ids,
            }))
        } else {
            request
        };
        let response = request.send().await;
        (response.status.as_u16(), String::from_utf8(response.body).unwrap())
    }

    #[track_caller]
    fn assert_tells_no_secret(&self, request: &str, body: &str) {
        let body = body.replace(self.stranger.user.email.as_str(), "");
        assert!(!body.contains(ADDRESSES), "{request}: {body}");
        assert!(!body.contains("$argon2"), "{request}: {body}");
        for caller in self.others.iter().chain([&self.stranger]) {
            assert!(!body.contains(&caller.token), "{request}: {body}");
        }
    }
}
