//! `/notifications/{id}/children`.

use serde_json::{Value, json};

use crate::support::{
    LIST, MALFORMED, NOTHINGS, Stage, fill, ids, next, problem, refused_fields, walk,
};

#[actix_web::test]
async fn a_batch_shows_what_it_gathers_newest_first() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.act(&stage.caro, "reactions", &json!({"emoji_code": "hug"})).await;
    let [batch] = stage.list().await.try_into().unwrap();

    let children = children(&stage, batch["id"].as_str().unwrap()).await;

    let said: Vec<&str> = children.iter().map(|it| it["message"].as_str().unwrap()).collect();
    assert_eq!(said, ["Caro reacted to your post with 🤗", "Ben 🌿 liked your post"]);
    for child in &children {
        assert_eq!(child["parent_id"], batch["id"]);
        assert_eq!(child["is_batch"], false);
        assert_eq!(child["batch_count"], 1);
        assert_eq!(child["actor_count"], 1);
        assert_eq!(child.get("actors"), None);
        assert_eq!(child["read"], false);
        assert_eq!(child["post_id"], stage.post.to_string());
        assert!(child["created_at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(children[0]["data"]["emoji_code"], "hug");
    assert_eq!(children[0]["from_user"], batch["from_user"]);
}

#[actix_web::test]
async fn a_single_gathers_nothing() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    let [single] = stage.list().await.try_into().unwrap();

    assert!(children(&stage, single["id"].as_str().unwrap()).await.is_empty());
}

#[actix_web::test]
async fn children_are_listed_a_hundred_at_once_and_lead_on_to_the_end() {
    let stage = Stage::set().await;
    fill(&stage, 101).await;
    let batch = stage.list().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{LIST}/{batch}/children");

    let pages = walk(&stage.api, &stage.ana, &path).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    let all = pages.concat();
    let pages = walk(&stage.api, &stage.ana, &format!("{path}?limit=40")).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 21]);
    assert_eq!(pages.concat(), all);
    let part = format!("{path}?limit=2&offset=99");
    let part = stage.api.get(&part).by(&stage.ana).send().await.expect(200);
    assert_eq!((ids(&part.json()), next(&part)), (all[99..].to_vec(), None));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=10001", "offset"),
        ("cursor=x", "cursor"),
    ] {
        let refused = stage.api.get(&format!("{path}?{query}")).by(&stage.ana).send().await;
        assert_eq!(refused_fields(&refused), [field], "{query}");
    }
}

#[actix_web::test]
async fn children_of_another_persons_or_of_no_batch_are_not_found() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;
    let batch = stage.list().await[0]["id"].as_str().unwrap().to_owned();

    for (caller, id) in MALFORMED
        .iter()
        .map(|id| (&stage.ana, *id))
        .chain([(&stage.ben, batch.as_str()), (&stage.ana, NOTHINGS)])
    {
        let refused = stage.api.get(&format!("{LIST}/{id}/children")).by(caller).send().await;
        assert_eq!(problem(&refused, 404).0, "not_found", "{id}");
    }
}

async fn children(stage: &Stage, id: &str) -> Vec<Value> {
    let path = format!("{LIST}/{id}/children");
    let children = stage.api.get(&path).by(&stage.ana).send().await.expect(200).json();
    children.as_array().unwrap().clone()
}
