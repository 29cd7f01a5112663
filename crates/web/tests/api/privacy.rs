//! No response contains the email address, password hash or token of another user, or the metadata of an image.

use grateful_storage::Repositories;
use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_testkit::{
    Api, Caller, a_comment, a_heart, a_link_share, a_message_share, a_png_with_comment, a_post,
    a_reaction,
};
use serde_json::json;

use crate::openapi::operations;

/// The domain of all users' email addresses.
const EMAIL_DOMAIN: &str = "@example.org";

#[actix_web::test]
async fn no_response_contains_the_email_the_hash_or_the_token_of_another_user() {
    let scenario = Scenario::create().await;
    let mut successful = BTreeSet::new();
    let mut own_email_was_seen = false;

    for (method, pattern, _) in operations() {
        let is_read = method == Method::GET;
        // Login responses contain a token, after authentication.
        if !is_read && (method != Method::POST || pattern.contains("/auth/")) {
            continue;
        }
        for path in scenario.paths(&pattern) {
            let (status, body) = scenario.send(method.clone(), &path).await;
            scenario.assert_no_secrets(&format!("{method} {path}"), &body);
            own_email_was_seen |= body.contains(scenario.viewer.user.email.as_str());
            if (200..300).contains(&status) {
                successful.insert((method.to_string(), pattern.clone()));
            }
        }
    }

    // The test proves nothing about a route whose requests all fail.
    assert!(own_email_was_seen);
    let reads = operations().into_iter().filter(|(method, ..)| method == Method::GET);
    for (method, pattern, _) in reads {
        assert!(
            successful.contains(&(method.to_string(), pattern.clone())),
            "no request to {pattern} succeeded"
        );
    }
}

/// Cameras store the location and the owner in the metadata.
#[actix_web::test]
async fn served_images_do_not_contain_the_metadata_of_the_upload() {
    let (api, [ana]) = Api::with_users().await;
    let secret = "Rua da Saudade 7";
    let image = a_png_with_comment(secret);
    let has_secret =
        |file: &[u8]| file.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(has_secret(&image));

    let photo = api.post("/api/v1/users/me/profile/photo").by(&ana).multipart(&[("file", &image)]);
    let photo = photo.send().await.expect(200).data();
    let form = [("content", &b"Look!"[..]), ("image", &image)];
    let post = api.post("/api/v1/posts/upload").by(&ana).multipart(&form).send().await.expect(201);
    let post = post.json();

    let urls = photo["urls"].as_object().unwrap().values().chain([&post["image_url"]]);
    for url in urls.map(|url| url.as_str().unwrap()) {
        let file = api.get(url).send().await.expect(200);
        assert!(!has_secret(&file.body), "{url}");
    }
}

/// A viewer, and two other users whose data appears in the viewer's responses.
struct Scenario {
    api: Api,
    viewer: Caller,
    others: [Caller; 2],
    ids: Vec<String>,
    username: String,
}

impl Scenario {
    async fn create() -> Self {
        let api = Api::create().await;
        let [viewer, ana, ben] =
            [api.create_user().await, api.create_user().await, api.create_user().await];
        let others_post = a_post().by(ana.user.id).insert_into(api.database()).await;
        let own_post = a_post().by(viewer.user.id).insert_into(api.database()).await;
        let mut conn = api.database().connect().await;
        for post in [&others_post, &own_post] {
            for caller in [&ana, &ben, &viewer] {
                conn.emoji_reactions().set(&[a_reaction(caller.user.id, post.id)]).await.unwrap();
                conn.shares().create(&a_link_share(caller.user.id, post.id)).await.unwrap();
            }
            conn.hearts().add(&[a_heart(viewer.user.id, post.id)]).await.unwrap();
        }
        conn.shares()
            .create(&a_message_share(ana.user.id, own_post.id, &[viewer.user.id]))
            .await
            .unwrap();
        let comment =
            a_comment().by(ben.user.id).on(&others_post).insert_into(api.database()).await;
        a_comment().by(ana.user.id).replying_to(&comment).insert_into(api.database()).await;
        // Two followers and two hearts, so that the viewer has batched notifications.
        for (caller, path) in [
            (&ana, format!("/api/v1/follows/{}", viewer.user.id)),
            (&ben, format!("/api/v1/follows/{}", viewer.user.id)),
            (&ben, format!("/api/v1/follows/{}", ana.user.id)),
            (&ana, format!("/api/v1/posts/{}/heart", own_post.id)),
            (&ben, format!("/api/v1/posts/{}/heart", own_post.id)),
        ] {
            api.post(&path).by(caller).send().await.expect(201);
        }
        let list = api.get("/api/v1/notifications").by(&viewer).send().await.json();
        let batches =
            list.as_array().unwrap().iter().filter(|notification| notification["is_batch"] == true);
        let mut ids: Vec<String> =
            batches.map(|batch| batch["id"].as_str().unwrap().to_owned()).collect();
        assert!(!ids.is_empty(), "{list}");
        for caller in [&viewer, &ana, &ben] {
            ids.push(caller.user.id.to_string());
        }
        ids.extend([others_post.id.to_string(), own_post.id.to_string(), comment.id.to_string()]);
        let username = ana.user.username.as_str().to_owned();
        Self { api, viewer, others: [ana, ben], ids, username }
    }

    /// Returns the paths of a route with each id of the scenario.
    fn paths(&self, pattern: &str) -> Vec<String> {
        let pattern = pattern.replace("{username}", &self.username);
        let with_id = |id: &String| pattern.replace("{id}", id);
        let mut paths: Vec<String> = self.ids.iter().map(with_id).collect();
        paths.dedup();
        assert!(paths.iter().all(|path| !path.contains('{')), "unknown parameter in {pattern}");
        paths
    }

    async fn send(&self, method: Method, path: &str) -> (u16, String) {
        let request = self.api.request(method.clone(), path).by(&self.viewer);
        if path.ends_with("/stream") {
            let mut response = request.header("Last-Event-ID", "0").send_streaming().await;
            let mut text = response.next_chunk().await.unwrap();
            text.push_str(&response.next_chunk().await.unwrap());
            return (response.head.status.as_u16(), text);
        }
        let names: Vec<&str> =
            self.others.iter().map(|other| other.user.username.as_str()).collect();
        let ids: Vec<i64> = self.others.iter().map(|other| other.user.id.into()).collect();
        let request = if method == Method::POST {
            request.json(&json!({
                "query": "user", "usernames": names, "user_ids": ids, "content": "How lovely",
                "emoji_code": "star", "share_method": "message", "recipient_ids": ids,
            }))
        } else {
            request
        };
        let response = request.send().await;
        (response.status.as_u16(), String::from_utf8(response.body).unwrap())
    }

    /// Asserts that a body contains no email except the viewer's, no hash, and no token.
    #[track_caller]
    fn assert_no_secrets(&self, request: &str, body: &str) {
        let body = body.replace(self.viewer.user.email.as_str(), "");
        assert!(!body.contains(EMAIL_DOMAIN), "{request}: {body}");
        assert!(!body.contains("$argon2"), "{request}: {body}");
        for caller in self.others.iter().chain([&self.viewer]) {
            assert!(!body.contains(&caller.token), "{request}: {body}");
        }
    }
}
