//! Being named in posts and comments.

use grateful_testkit::{Caller, a_post, a_user, block};
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::sorted_keys;

const POSTS: &str = "/api/v1/posts";

#[actix_web::test]
async fn whoever_a_post_names_is_told_who_named_them_and_where() {
    let scenario = Scenario::create().await;
    let content =
        format!("For {}. You waited with me, in the rain, for an hour", at(&scenario.ben));

    let post = publish(&scenario, &scenario.ana, &json!({"content": content})).await;

    let [told] = list(&scenario, &scenario.ben).await.try_into().unwrap();
    let quoted: String = content.chars().take(50).collect();
    assert_eq!(told["type"], "mention");
    assert_eq!(told["title"], "You were mentioned");
    assert_eq!(told["message"], format!("Ana mentioned you in a post: {quoted}…"));
    assert_eq!((&told["post_id"], &told["data"]["post_id"]), (&post["id"], &post["id"]));
    assert_eq!(told["from_user"]["name"], "Ana");
    assert_eq!(told["from_user"]["username"], scenario.ana.user.username.as_str());
    assert_eq!(
        sorted_keys(&told["data"]),
        ["actor_user_id", "actor_username", "author_username", "post_id", "post_preview"]
    );
    assert_eq!((&told["is_batch"], &told["batch_count"]), (&json!(false), &json!(1)));
    assert_eq!(list(&scenario, &scenario.ana).await, [json!(null); 0]);
}

/// Clients make the sentence a link by the name at its beginning.
#[actix_web::test]
async fn the_message_of_a_mention_begins_with_the_name_of_its_sender() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", at(&scenario.caro))});

    publish(&scenario, &scenario.ben, &content).await;

    let [told] = list(&scenario, &scenario.caro).await.try_into().unwrap();
    let rest = told["message"].as_str().unwrap().strip_prefix("Ben 🌿");
    let said = format!(" mentioned you in a post: For {}", at(&scenario.caro));
    assert_eq!(rest, Some(said.as_str()));
    assert_eq!(told["from_user"]["name"], "Ben 🌿");
}

#[actix_web::test]
async fn mentions_on_one_post_are_one_batch_that_counts_them() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", at(&scenario.ben))});
    let post = publish(&scenario, &scenario.ana, &content).await;

    for caller in [&scenario.caro, &scenario.ana] {
        comment(&scenario, caller, &post["id"], &format!("Yes, {}!", at(&scenario.ben))).await;
    }

    let [batch] = list(&scenario, &scenario.ben).await.try_into().unwrap();
    assert_eq!(batch["type"], "mention");
    assert_eq!(batch["title"], "You were mentioned");
    assert_eq!(batch["message"], "You were mentioned 3 times");
    assert_eq!((&batch["batch_count"], &batch["actor_count"]), (&json!(3), &json!(2)));
    assert_eq!(batch["post_id"], post["id"]);
}

#[actix_web::test]
async fn whoever_a_comment_names_is_told_of_the_comment() {
    let scenario = Scenario::create().await;
    let post = json!(scenario.post.to_string());

    let said =
        comment(&scenario, &scenario.ben, &post, &format!("Look, {}!", at(&scenario.caro))).await;

    let [told] = list(&scenario, &scenario.caro).await.try_into().unwrap();
    let message = format!("Ben 🌿 mentioned you in a post: Look, {}!", at(&scenario.caro));
    assert_eq!(told["message"], message);
    assert_eq!(told["data"]["comment_id"], said["id"]);
    assert_eq!(told["post_id"], post);
    let of_comment = list(&scenario, &scenario.ana).await;
    assert_eq!(of_comment[0]["type"], "comment");
    assert_eq!(of_comment.len(), 1);
}

#[actix_web::test]
async fn an_edit_tells_those_newly_named_and_takes_back_what_others_were_told() {
    let scenario = Scenario::create().await;
    let content = json!({"content": format!("For {}", at(&scenario.ben))});
    let post = publish(&scenario, &scenario.ana, &content).await;
    let path = format!("{POSTS}/{}", post["id"].as_str().unwrap());
    let patch = async |body: Value| {
        scenario.api.patch(&path).by(&scenario.ana).json(&body).send().await.expect(200);
        (list(&scenario, &scenario.ben).await.len(), list(&scenario, &scenario.caro).await.len())
    };

    let both = format!("For {} and {}", at(&scenario.ben).to_uppercase(), at(&scenario.caro));
    assert_eq!(patch(json!({"content": both})).await, (1, 1));
    assert_eq!(patch(json!({"content": format!("For {}", at(&scenario.caro))})).await, (0, 1));
    assert_eq!(patch(json!({"is_public": false})).await, (0, 0));
    assert_eq!(patch(json!({"content": both})).await, (0, 0));
    assert_eq!(patch(json!({"is_public": true})).await, (1, 1));
    scenario.api.delete(&path).by(&scenario.ana).send().await;
    assert_eq!(
        list(&scenario, &scenario.ben).await.len() + list(&scenario, &scenario.caro).await.len(),
        0
    );
}

#[actix_web::test]
async fn other_words_of_a_comment_do_the_same() {
    let scenario = Scenario::create().await;
    let post = json!(scenario.post.to_string());
    let said =
        comment(&scenario, &scenario.ben, &post, &format!("Look, {}!", at(&scenario.caro))).await;
    let dan = scenario.api.create_user().await;
    let path = format!("/api/v1/comments/{}", said["id"].as_str().unwrap());

    let body = json!({"content": format!("Look, {}!", at(&dan))});
    scenario.api.patch(&path).by(&scenario.ben).json(&body).send().await.expect(200);

    assert_eq!(list(&scenario, &scenario.caro).await.len(), 0);
    let [told] = list(&scenario, &dan).await.try_into().unwrap();
    assert_eq!(told["message"], format!("Ben 🌿 mentioned you in a post: Look, {}!", at(&dan)));
}

#[actix_web::test]
async fn nobody_is_told_who_is_not_meant_or_may_not_see_it() {
    let scenario = Scenario::create().await;
    let (ben, caro) = (at(&scenario.ben), at(&scenario.caro));
    block(scenario.api.database(), scenario.ana.user.id, scenario.ben.user.id).await;
    block(scenario.api.database(), scenario.caro.user.id, scenario.ana.user.id).await;
    let dan = scenario.api.create_user().await;

    let blocked =
        json!({"content": format!("For {ben}, {caro}, @nobody_at_all, {}", at(&scenario.ana))});
    publish(&scenario, &scenario.ana, &blocked).await;
    let secret = json!({"content": format!("For {}", at(&dan)), "is_public": false});
    let secret = publish(&scenario, &scenario.ana, &secret).await;
    comment(&scenario, &scenario.ana, &secret["id"], &format!("For {}", at(&dan))).await;
    let address = json!({"content": format!("Write to me{}", at(&dan))});
    publish(&scenario, &scenario.ana, &address).await;
    // Dan may see Ana's post; those across a block with her may not.
    let post = json!(scenario.post.to_string());
    comment(&scenario, &dan, &post, &format!("{ben} {caro}")).await;

    for caller in [&scenario.ben, &scenario.caro, &dan] {
        assert_eq!(list(&scenario, caller).await, [json!(null); 0]);
    }
}

#[actix_web::test]
async fn a_post_that_is_sent_again_under_its_key_tells_once() {
    let scenario = Scenario::create().await;
    let body = json!({"content": format!("For {}", at(&scenario.ben))});

    for _ in 0..2 {
        let request =
            scenario.api.post(POSTS).by(&scenario.ana).header("Idempotency-Key", "for-ben");
        request.json(&body).send().await.expect(201);
    }

    assert_eq!(list(&scenario, &scenario.ben).await.len(), 1);
}

#[actix_web::test]
async fn fifty_of_sixty_who_are_named_are_told() {
    let scenario = Scenario::create().await;
    for number in 100..160 {
        a_user().with_username(&format!("p{number}")).insert_into(scenario.api.database()).await;
    }
    let content = (100..160).map(|number| format!("@P{number}")).collect::<Vec<_>>().join(" ");

    publish(&scenario, &scenario.ana, &json!({"content": content})).await;

    let told = "notifications WHERE type = 'mention' AND NOT is_batch";
    assert_eq!(scenario.api.database().count(told).await, 50);
}

#[actix_web::test]
async fn a_mention_in_a_post_of_long_ago_is_told_when_it_is_added() {
    let scenario = Scenario::create().await;
    let old = grateful_testkit::NOON - chrono::TimeDelta::days(400);
    let post =
        a_post().by(scenario.ana.user.id).at(old).insert_into(scenario.api.database()).await.id;

    let body = json!({"content": format!("For {}", at(&scenario.ben))});
    let path = format!("{POSTS}/{post}");
    scenario.api.patch(&path).by(&scenario.ana).json(&body).send().await.expect(200);

    assert_eq!(list(&scenario, &scenario.ben).await.len(), 1);
}

/// How a text names somebody.
fn at(caller: &Caller) -> String {
    format!("@{}", caller.user.username.as_str())
}

async fn publish(scenario: &Scenario, author: &Caller, body: &Value) -> Value {
    scenario.api.post(POSTS).by(author).json(body).send().await.expect(201).json()
}

async fn comment(scenario: &Scenario, author: &Caller, post: &Value, text: &str) -> Value {
    let path = format!("{POSTS}/{}/comments", post.as_str().unwrap());
    let body = json!({"content": text});
    scenario.api.post(&path).by(author).json(&body).send().await.expect(201).data()
}

async fn list(scenario: &Scenario, owner: &Caller) -> Vec<Value> {
    let list = scenario.api.get(NOTIFICATIONS).by(owner).send().await.expect(200).json();
    list.as_array().unwrap().clone()
}
