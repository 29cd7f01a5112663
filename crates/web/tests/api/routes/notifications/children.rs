//! `/api/v1/notifications/{id}/children`.

use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario, insert_batch};
use crate::support::{ids, invalid_fields, next_link, problem_code_and_detail};

#[actix_web::test]
async fn the_children_of_a_batch_are_listed_newest_first() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.act(&scenario.caro, "reactions", &json!({"emoji_code": "hug"})).await;
    let [batch] = scenario.list().await.try_into().unwrap();

    let children = list_children(&scenario, batch["id"].as_str().unwrap()).await;

    let messages: Vec<&str> =
        children.iter().map(|child| child["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["Caro reacted to your post with 🤗", "Ben 🌿 liked your post"]);
    for child in &children {
        assert_eq!(child["parent_id"], batch["id"]);
        assert_eq!(child["is_batch"], false);
        assert_eq!(child["batch_count"], 1);
        assert_eq!(child["actor_count"], 1);
        assert_eq!(child.get("actors"), None);
        assert_eq!(child["read"], false);
        assert_eq!(child["post_id"], scenario.post.to_string());
        assert!(child["created_at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(children[0]["data"]["emoji_code"], "hug");
    assert_eq!(children[0]["from_user"], batch["from_user"]);
}

#[actix_web::test]
async fn a_single_notification_has_no_children() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let [single] = scenario.list().await.try_into().unwrap();

    assert!(list_children(&scenario, single["id"].as_str().unwrap()).await.is_empty());
}

#[actix_web::test]
async fn a_page_of_children_has_100_items_by_default_and_links_to_the_next() {
    let scenario = Scenario::create().await;
    insert_batch(&scenario, 101).await;
    let batch = scenario.list().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{NOTIFICATIONS}/{batch}/children");

    let pages = scenario.fetch_all_pages(&path).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    let all = pages.concat();
    let pages = scenario.fetch_all_pages(&format!("{path}?limit=40")).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 21]);
    assert_eq!(pages.concat(), all);
    let last = format!("{path}?limit=2&offset=99");
    let last = scenario.api.get(&last).by(&scenario.ana).send().await.expect(200);
    assert_eq!((ids(&last.json()), next_link(&last)), (all[99..].to_vec(), None));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=10001", "offset"),
        ("cursor=x", "cursor"),
    ] {
        let response = scenario.api.get(&format!("{path}?{query}")).by(&scenario.ana).send().await;
        assert_eq!(invalid_fields(&response), [field], "{query}");
    }
}

#[actix_web::test]
async fn children_of_another_users_batch_are_not_found() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.add_heart(&scenario.caro).await;
    let batch = scenario.list().await[0]["id"].as_str().unwrap().to_owned();

    let path = format!("{NOTIFICATIONS}/{batch}/children");
    let response = scenario.api.get(&path).by(&scenario.ben).send().await;

    assert_eq!(problem_code_and_detail(&response, 404).0, "not_found");
}

async fn list_children(scenario: &Scenario, id: &str) -> Vec<Value> {
    let path = format!("{NOTIFICATIONS}/{id}/children");
    let children = scenario.api.get(&path).by(&scenario.ana).send().await.expect(200).json();
    children.as_array().unwrap().clone()
}
