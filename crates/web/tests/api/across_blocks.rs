//! Across a block, no response to a read shows anything of the other user, also not through a third user.

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_testkit::{Api, Caller};
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::follows::{block, follow, user_id};
use crate::support::post_subpath;

/// In everything that Xen writes, and in Xen's names.
const WORD: &str = "zanzibar";

/// The routes on which a user sees the other one or what is theirs before a block.
const SHOWING: [&str; 18] = [
    "/api/v1/comments/{id}/replies",
    "/api/v1/follows/suggestions",
    "/api/v1/notifications",
    "/api/v1/notifications/{id}/children",
    "/api/v1/posts/feed",
    "/api/v1/posts/trending",
    "/api/v1/posts/{id}",
    "/api/v1/posts/{id}/comments",
    "/api/v1/posts/{id}/hearts/users",
    "/api/v1/posts/{id}/reactions",
    "/api/v1/users/by-username/{username}",
    "/api/v1/users/me/export",
    "/api/v1/users/username/{username}",
    "/api/v1/users/{id}/followers",
    "/api/v1/users/{id}/following",
    "/api/v1/users/{id}/posts",
    "/api/v1/users/{id}/profile",
    "/api/v1/users/search",
];

/// The users they have blocked, and all that is stored about them.
const OWN_DATA: [&str; 2] = ["/api/v1/users/me/blocks", "/api/v1/users/me/export"];

#[actix_web::test]
async fn no_read_shows_anything_of_a_user_across_a_block() {
    for is_blocker in [true, false] {
        let scenario = Scenario::create().await;
        let expected: BTreeSet<String> = SHOWING.map(str::to_owned).into();
        assert_eq!(scenario.showing().await, expected);
        let Scenario { api, viewer, xen, .. } = &scenario;
        let (blocker, blocked) = if is_blocker { (viewer, xen) } else { (xen, viewer) };
        block(api, blocker, blocked).await;
        scenario.act_afterwards().await;

        let mut showing = scenario.showing().await;
        showing.retain(|pattern| !OWN_DATA.contains(&pattern.as_str()));

        assert_eq!(showing, BTreeSet::new(), "{is_blocker}");
    }
}

/// Xen, who acts on the posts of the viewer and of Tom, and Tom, who follows both.
struct Scenario {
    api: Api,
    viewer: Caller,
    xen: Caller,
    tom: Caller,
    /// The posts of the viewer, of Xen and of Tom.
    posts: [String; 3],
    comments: Vec<String>,
}

impl Scenario {
    async fn create() -> Self {
        let api = Api::create().await;
        let [viewer, xen, tom] =
            [api.create_user().await, api.create_user().await, api.create_user().await];
        let names = json!({"username": WORD, "display_name": WORD, "bio": WORD});
        api.put("/api/v1/users/me/profile").by(&xen).json(&names).send().await.expect(200);
        let post = async |by: &Caller, content: &str| {
            let request = api.post("/api/v1/posts").by(by).json(&json!({"content": content}));
            request.send().await.expect(201).json()["id"].as_str().unwrap().to_owned()
        };
        let mention = format!("@{} {WORD}", viewer.user.username.as_str());
        let posts =
            [post(&viewer, "Rain").await, post(&xen, &mention).await, post(&tom, "Sun").await];
        let mut scenario = Self { api, viewer, xen, tom, posts, comments: vec![] };
        scenario.engage(&mention).await;
        scenario
    }

    async fn engage(&mut self, mention: &str) {
        let [of_viewer, of_xen, of_tom] = self.posts.clone();
        for (follower, followed) in [
            (&self.viewer, &self.tom),
            (&self.tom, &self.viewer),
            (&self.tom, &self.xen),
            (&self.xen, &self.tom),
            (&self.xen, &self.viewer),
        ] {
            follow(&self.api, follower, followed).await;
        }
        for post in [&of_viewer, &of_xen, &of_tom] {
            for caller in [&self.xen, &self.tom] {
                let heart = self.api.post(&post_subpath(post, "heart")).by(caller);
                heart.send().await.expect(201);
            }
            let by_xen = self.comment(&self.xen, post, WORD, None).await;
            let by_tom = self.comment(&self.tom, post, "Well", Some(&by_xen)).await;
            let by_viewer = self.comment(&self.viewer, post, "Well", None).await;
            let reply = self.comment(&self.xen, post, WORD, Some(&by_viewer)).await;
            let below = self.comment(&self.xen, post, mention, Some(&by_tom)).await;
            self.comments.extend([by_xen, by_tom, by_viewer, reply, below]);
            let reaction = self.api.post(&post_subpath(post, "reactions")).by(&self.xen);
            reaction.json(&json!({"emoji_code": "hug"})).send().await.expect(201);
            self.share(&self.xen, post, &json!({"share_method": "url"})).await;
        }
        let message = json!({
            "share_method": "message", "recipient_ids": [user_id(&self.viewer)], "message": WORD,
        });
        self.share(&self.xen, &of_tom, &message).await;
    }

    /// Tom goes on, and Xen acts where the viewer could notice it.
    async fn act_afterwards(&self) {
        let [_, _, of_tom] = &self.posts;
        let viewer = self.viewer.user.username.as_str();
        self.comment(&self.xen, of_tom, &format!("@{viewer} {WORD}"), None).await;
        self.comment(
            &self.tom,
            of_tom,
            &format!("@{viewer}"),
            self.comments.last().map(String::as_str),
        )
        .await;
    }

    async fn comment(&self, by: &Caller, post: &str, text: &str, parent: Option<&str>) -> String {
        let body = json!({"content": text, "parent_id": parent});
        let request = self.api.post(&post_subpath(post, "comments")).by(by).json(&body);
        request.send().await.expect(201).data()["id"].as_str().unwrap().to_owned()
    }

    async fn share(&self, by: &Caller, post: &str, body: &Value) {
        let request = self.api.post(&post_subpath(post, "share")).by(by).json(body);
        request.send().await.expect(201);
    }

    /// The routes on which the viewer reads the word.
    async fn showing(&self) -> BTreeSet<String> {
        let mut ids: Vec<String> =
            [&self.viewer, &self.xen, &self.tom].map(|caller| user_id(caller).to_string()).into();
        ids.extend(self.posts.iter().chain(&self.comments).cloned());
        let list = self.api.get("/api/v1/notifications").by(&self.viewer).send().await.json();
        let listed = list.as_array().unwrap().iter();
        ids.extend(listed.map(|listed| listed["id"].as_str().unwrap().to_owned()));
        let mut showing = BTreeSet::new();
        for (method, pattern, _) in operations() {
            // A stream sends what the list has, and does not end.
            if method != Method::GET || pattern.ends_with("/stream") {
                continue;
            }
            for id in &ids {
                let path = pattern.replace("{id}", id).replace("{username}", WORD);
                let response = self.api.get(&path).by(&self.viewer).send().await;
                // An error can name what was asked for.
                let is_success = response.status.is_success();
                if is_success && String::from_utf8_lossy(&response.body).contains(WORD) {
                    showing.insert(pattern.clone());
                }
                if !pattern.contains("{id}") {
                    break;
                }
            }
        }
        let search = self.api.post("/api/v1/users/search").by(&self.viewer);
        let found = search.json(&json!({"query": WORD})).send().await.expect(200);
        if String::from_utf8_lossy(&found.body).contains(WORD) {
            showing.insert("/api/v1/users/search".to_owned());
        }
        showing
    }
}
