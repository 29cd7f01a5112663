//! Words that their author took back, or that the reader can no longer see, are in no inbox and in no export.

use grateful_testkit::{Caller, block};
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario};

const POSTS: &str = "/api/v1/posts";
const SECRET: &str = "PHONE5550100";

/// A post by Ana that mentions Ben, is sent to Caro, and has a comment by Caro that mentions Ben, with a reply by Ana.
struct Conversation {
    scenario: Scenario,
    post: String,
    comment: String,
    reply: String,
}

impl Conversation {
    /// All texts contain the secret.
    async fn create() -> Self {
        let scenario = Scenario::create().await;
        let name = scenario.ben.user.username.as_str();
        let text = json!({"content": format!("@{name} call {SECRET}")});
        let post = scenario.api.post(POSTS).by(&scenario.ana).json(&text).send().await.expect(201);
        let post = id_of(&post.json());
        let path = |rest: &str| format!("{POSTS}/{post}/{rest}");
        let sent = json!({
            "share_method": "message", "recipient_ids": [i64::from(scenario.caro.user.id)]
        });
        let share = scenario.api.post(&path("share")).by(&scenario.ben).json(&sent);
        share.send().await.expect(201);
        let comment = scenario.api.post(&path("comments")).by(&scenario.caro).json(&text);
        let comment = id_of(&comment.send().await.expect(201).data());
        let reply = json!({"content": format!("or {SECRET}"), "parent_id": comment});
        let reply = scenario.api.post(&path("comments")).by(&scenario.ana).json(&reply);
        let reply = id_of(&reply.send().await.expect(201).data());
        Self { scenario, post, comment, reply }
    }

    async fn edit(&self, path: &str, author: &Caller, body: Value) {
        self.scenario.api.patch(path).by(author).json(&body).send().await.expect(200);
    }

    fn post_path(&self) -> String {
        format!("{POSTS}/{}", self.post)
    }

    /// What a user reads of their notifications: the list, the children, and that part of the export.
    async fn shown_to(&self, reader: &Caller) -> String {
        let api = &self.scenario.api;
        let list = api.get(NOTIFICATIONS).by(reader).send().await.expect(200).json();
        let mut shown = list.to_string();
        for notification in list.as_array().unwrap() {
            let path = format!("{NOTIFICATIONS}/{}/children", id_of(notification));
            shown += &api.get(&path).by(reader).send().await.expect(200).json().to_string();
        }
        let export = api.get("/api/v1/users/me/export").by(reader).send().await.expect(200).data();
        shown + &export["notifications"].to_string()
    }
}

#[actix_web::test]
async fn what_an_edit_took_out_is_gone_from_every_inbox() {
    let conversation = Conversation::create().await;
    let Scenario { ana, ben, caro, .. } = &conversation.scenario;
    let name = ben.user.username.as_str();
    for reader in [ana, ben, caro] {
        assert!(conversation.shown_to(reader).await.contains(SECRET));
    }

    let text = json!({"content": format!("@{name} call me")});
    conversation.edit(&conversation.post_path(), ana, text.clone()).await;
    conversation.edit(&format!("/api/v1/comments/{}", conversation.comment), caro, text).await;
    let reply = format!("/api/v1/comments/{}", conversation.reply);
    conversation.edit(&reply, ana, json!({"content": "or not"})).await;

    for reader in [ana, ben, caro] {
        let shown = conversation.shown_to(reader).await;
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("call me") || shown.contains("or not"), "{shown}");
    }
}

#[actix_web::test]
async fn a_post_made_private_or_across_a_block_is_quoted_to_its_author_only() {
    for is_blocked in [false, true] {
        let conversation = Conversation::create().await;
        let Scenario { api, ana, ben, caro, .. } = &conversation.scenario;
        if is_blocked {
            for reader in [ben, caro] {
                block(api.database(), reader.user.id, ana.user.id).await;
            }
        } else {
            let private = json!({"is_public": false});
            conversation.edit(&conversation.post_path(), ana, private).await;
        }

        for reader in [ben, caro] {
            let shown = conversation.shown_to(reader).await;
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}

fn id_of(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}
