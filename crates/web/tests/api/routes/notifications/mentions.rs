//! Notifications of mentions in posts and comments.

use grateful_testkit::{Caller, a_post, a_user, block};
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

/// Clients turn the name at the start of the message into a link.
#[actix_web::test]
async fn the_message_of_a_mention_starts_with_the_name_of_the_actor() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", mention(&scenario.caro))});

    create_post(&scenario, &scenario.ben, &content).await;

    let [notification] = list_notifications(&scenario, &scenario.caro).await.try_into().unwrap();
    let rest = notification["message"].as_str().unwrap().strip_prefix("Ben 🌿");
    let expected = format!(" mentioned you in a post: For {}", mention(&scenario.caro));
    assert_eq!(rest, Some(expected.as_str()));
    assert_eq!(notification["from_user"]["name"], "Ben 🌿");
}

#[actix_web::test]
async fn mentions_on_one_post_are_batched() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", mention(&scenario.ben))});
    let post = create_post(&scenario, &scenario.ana, &content).await;

    for caller in [&scenario.caro, &scenario.ana] {
        add_comment(&scenario, caller, &post["id"], &format!("Yes, {}!", mention(&scenario.ben)))
            .await;
    }

    let [batch] = list_notifications(&scenario, &scenario.ben).await.try_into().unwrap();
    assert_eq!(batch["type"], "mention");
    assert_eq!(batch["title"], "You were mentioned");
    assert_eq!(batch["message"], "You were mentioned 3 times");
    assert_eq!((&batch["batch_count"], &batch["actor_count"]), (&json!(3), &json!(2)));
    assert_eq!(batch["post_id"], post["id"]);
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
async fn editing_a_post_notifies_added_and_withdraws_removed_mentions() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", mention(&scenario.ben))});
    let post = create_post(&scenario, &scenario.ana, &content).await;
    let path = format!("{POSTS}/{}", post["id"].as_str().unwrap());
    let patch = async |body: Value| {
        scenario.api.patch(&path).by(&scenario.ana).json(&body).send().await.expect(200);
        (
            list_notifications(&scenario, &scenario.ben).await.len(),
            list_notifications(&scenario, &scenario.caro).await.len(),
        )
    };

    let both =
        format!("For {} and {}", mention(&scenario.ben).to_uppercase(), mention(&scenario.caro));
    assert_eq!(patch(json!({"content": both})).await, (1, 1));
    assert_eq!(patch(json!({"content": format!("For {}", mention(&scenario.caro))})).await, (0, 1));
    assert_eq!(patch(json!({"is_public": false})).await, (0, 0));
    assert_eq!(patch(json!({"content": both})).await, (0, 0));
    assert_eq!(patch(json!({"is_public": true})).await, (1, 1));
    scenario.api.delete(&path).by(&scenario.ana).send().await;
    assert_eq!(
        list_notifications(&scenario, &scenario.ben).await.len()
            + list_notifications(&scenario, &scenario.caro).await.len(),
        0
    );
}

#[actix_web::test]
async fn editing_a_comment_notifies_added_and_withdraws_removed_mentions() {
    let scenario = Scenario::create().await;
    let post = json!(scenario.post.to_string());
    let comment = add_comment(
        &scenario,
        &scenario.ben,
        &post,
        &format!("Look, {}!", mention(&scenario.caro)),
    )
    .await;
    let dan = scenario.api.create_user().await;
    let path = format!("/api/v1/comments/{}", comment["id"].as_str().unwrap());

    let body = json!({"content": format!("Look, {}!", mention(&dan))});
    scenario.api.patch(&path).by(&scenario.ben).json(&body).send().await.expect(200);

    assert_eq!(list_notifications(&scenario, &scenario.caro).await.len(), 0);
    let [notification] = list_notifications(&scenario, &dan).await.try_into().unwrap();
    assert_eq!(
        notification["message"],
        format!("Ben 🌿 mentioned you in a post: Look, {}!", mention(&dan))
    );
}

#[actix_web::test]
async fn mentions_do_not_notify_users_who_cannot_see_the_text() {
    let scenario = Scenario::create().await;
    let (ben, caro) = (mention(&scenario.ben), mention(&scenario.caro));
    block(scenario.api.database(), scenario.ana.user.id, scenario.ben.user.id).await;
    block(scenario.api.database(), scenario.caro.user.id, scenario.ana.user.id).await;
    let dan = scenario.api.create_user().await;

    let blocked =
        json!({"content": format!("For {ben}, {caro}, @unknown_user, {}", mention(&scenario.ana))});
    create_post(&scenario, &scenario.ana, &blocked).await;
    let secret = json!({"content": format!("For {}", mention(&dan)), "is_public": false});
    let secret = create_post(&scenario, &scenario.ana, &secret).await;
    add_comment(&scenario, &scenario.ana, &secret["id"], &format!("For {}", mention(&dan))).await;
    let email_like = json!({"content": format!("Write to me{}", mention(&dan))});
    create_post(&scenario, &scenario.ana, &email_like).await;
    // Dan can see Ana's post. Ben and Caro cannot, because of the blocks.
    let post = json!(scenario.post.to_string());
    add_comment(&scenario, &dan, &post, &format!("{ben} {caro}")).await;

    for caller in [&scenario.ben, &scenario.caro, &dan] {
        assert_eq!(list_notifications(&scenario, caller).await, [json!(null); 0]);
    }
}

#[actix_web::test]
async fn a_retry_with_the_same_idempotency_key_notifies_once() {
    let scenario = Scenario::create().await;
    let body = json!({"content": format!("For {}", mention(&scenario.ben))});

    for _ in 0..2 {
        let request =
            scenario.api.post(POSTS).by(&scenario.ana).header("Idempotency-Key", "for-ben");
        request.json(&body).send().await.expect(201);
    }

    assert_eq!(list_notifications(&scenario, &scenario.ben).await.len(), 1);
}

#[actix_web::test]
async fn at_most_50_mentioned_users_are_notified() {
    let scenario = Scenario::create().await;
    for number in 100..160 {
        a_user().with_username(&format!("p{number}")).insert_into(scenario.api.database()).await;
    }
    let content = (100..160).map(|number| format!("@P{number}")).collect::<Vec<_>>().join(" ");

    create_post(&scenario, &scenario.ana, &json!({"content": content})).await;

    let rows = "notifications WHERE type = 'mention' AND NOT is_batch";
    assert_eq!(scenario.api.database().count(rows).await, 50);
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
