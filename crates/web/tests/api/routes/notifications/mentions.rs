//! Notifications of mentions in posts and comments.

use grateful_testkit::{Caller, a_post};
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::sorted_keys;

const POSTS: &str = "/api/v1/posts";

#[actix_web::test]
async fn a_mention_in_a_post_notifies_the_mentioned_user() {
    let scenario = Scenario::create().await;
    let content =
        format!("For {}. You waited with me, in the rain, for an hour", mention(&scenario.ben));

    let post = create_post(&scenario, &scenario.ana, &json!({"content": content})).await;

    let [notification] = list_notifications(&scenario, &scenario.ben).await.try_into().unwrap();
    let excerpt: String = content.chars().take(50).collect();
    assert_eq!(notification["type"], "mention");
    assert_eq!(notification["title"], "You were mentioned");
    assert_eq!(notification["message"], format!("Ana mentioned you in a post: {excerpt}…"));
    assert_eq!(
        (&notification["post_id"], &notification["data"]["post_id"]),
        (&post["id"], &post["id"])
    );
    assert_eq!(notification["from_user"]["name"], "Ana");
    assert_eq!(notification["from_user"]["username"], scenario.ana.user.username.as_str());
    assert_eq!(
        sorted_keys(&notification["data"]),
        ["actor_user_id", "actor_username", "author_username", "post_id", "post_preview"]
    );
    assert_eq!(
        (&notification["is_batch"], &notification["batch_count"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(list_notifications(&scenario, &scenario.ana).await, [json!(null); 0]);
}

#[actix_web::test]
async fn a_mention_in_a_comment_notifies_the_mentioned_user() {
    let scenario = Scenario::create().await;
    let post = json!(scenario.post.to_string());

    let comment = add_comment(
        &scenario,
        &scenario.ben,
        &post,
        &format!("Look, {}!", mention(&scenario.caro)),
    )
    .await;

    let [notification] = list_notifications(&scenario, &scenario.caro).await.try_into().unwrap();
    let message = format!("Ben 🌿 mentioned you in a post: Look, {}!", mention(&scenario.caro));
    assert_eq!(notification["message"], message);
    assert_eq!(notification["data"]["comment_id"], comment["id"]);
    assert_eq!(notification["post_id"], post);
    let author_notifications = list_notifications(&scenario, &scenario.ana).await;
    assert_eq!(author_notifications[0]["type"], "comment");
    assert_eq!(author_notifications.len(), 1);
}

#[actix_web::test]
async fn a_mention_added_to_an_old_post_notifies() {
    let scenario = Scenario::create().await;
    let old = grateful_testkit::NOON - chrono::TimeDelta::days(400);
    let post =
        a_post().by(scenario.ana.user.id).at(old).insert_into(scenario.api.database()).await.id;

    let body = json!({"content": format!("For {}", mention(&scenario.ben))});
    let path = format!("{POSTS}/{post}");
    scenario.api.patch(&path).by(&scenario.ana).json(&body).send().await.expect(200);

    assert_eq!(list_notifications(&scenario, &scenario.ben).await.len(), 1);
}

/// Returns the text that mentions a user.
fn mention(caller: &Caller) -> String {
    format!("@{}", caller.user.username.as_str())
}

async fn create_post(scenario: &Scenario, author: &Caller, body: &Value) -> Value {
    scenario.api.post(POSTS).by(author).json(body).send().await.expect(201).json()
}

async fn add_comment(scenario: &Scenario, author: &Caller, post: &Value, text: &str) -> Value {
    let path = format!("{POSTS}/{}/comments", post.as_str().unwrap());
    let body = json!({"content": text});
    scenario.api.post(&path).by(author).json(&body).send().await.expect(201).data()
}

async fn list_notifications(scenario: &Scenario, recipient: &Caller) -> Vec<Value> {
    let list = scenario.api.get(NOTIFICATIONS).by(recipient).send().await.expect(200).json();
    list.as_array().unwrap().clone()
}
