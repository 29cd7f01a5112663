//! `/notifications` and `/notifications/summary`.

use grateful_testkit::Caller;
use serde_json::{Value, json};

use crate::support::{
    LIST, NOON, Stage, fill, ids, keys, next, problem, refused_fields, set_display_name, walk,
};

#[actix_web::test]
async fn a_single_notification_is_answered_bare_with_all_that_the_contract_says() {
    let stage = Stage::set().await;
    let (ben, post) = (&stage.ben.user, stage.post.to_string());
    let path = format!("/api/v1/posts/{post}/heart");
    stage.api.post(&path).by(&stage.ben).send().await.expect(201);

    let answer = stage.api.get(LIST).by(&stage.ana).send().await.expect(200);

    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut list = answer.json();
    let id = list[0]["id"].take();
    assert!(uuid::Uuid::parse_str(id.as_str().unwrap()).is_ok());
    let expected = json!([{
        "id": null,
        "type": "like",
        "title": "New Like 💜",
        "message": "Ben 🌿 liked your post",
        "data": {
            "actor_user_id": ben.id.to_string(),
            "actor_username": ben.username.as_str(),
            "liker_username": ben.username.as_str(),
            "post_id": post,
            "post_preview": "The bus driver who waited",
        },
        "read": false,
        "created_at": NOON,
        "last_updated_at": NOON,
        "post_id": post,
        "from_user": {
            "id": ben.id.to_string(),
            "name": "Ben 🌿",
            "username": ben.username.as_str(),
            "image": null,
        },
        "is_batch": false,
        "batch_count": 1,
        "parent_id": null,
        "actor_count": 1,
    }]);
    assert_eq!(list, expected);
}

#[actix_web::test]
async fn a_batch_says_how_many_it_gathers_and_shows_the_newest_of_them() {
    let stage = Stage::set().await;
    let picture = "/uploads/profile_photos/profile_1_medium.jpg";
    let sql = "UPDATE users SET profile_image_url =";
    let sql = format!("{sql} '{picture}' WHERE id = {}", stage.caro.user.id);
    stage.api.database().execute(&sql).await;
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;

    let [batch] = stage.list().await.try_into().unwrap();

    let from = |caller: &Caller, name: &str, image: Value| {
        let (id, username) = (caller.user.id.to_string(), caller.user.username.as_str());
        json!({"id": id, "name": name, "username": username, "image": image})
    };
    let (ben, caro) =
        (from(&stage.ben, "Ben 🌿", json!(null)), from(&stage.caro, "Caro", json!(picture)));
    assert_eq!(batch["type"], "post_interaction");
    assert_eq!(batch["title"], "New Engagement 💜");
    assert_eq!(batch["message"], "2 people engaged with your post");
    assert_eq!(batch["is_batch"], true);
    assert_eq!((&batch["batch_count"], &batch["actor_count"]), (&json!(2), &json!(2)));
    assert_eq!(batch["from_user"], caro);
    assert_eq!(batch["actors"], json!([caro, ben]));
    assert_eq!(batch["post_id"], batch["data"]["post_id"]);
    assert_eq!(batch["parent_id"], json!(null));
    assert_eq!(batch["created_at"], "2026-01-05T12:00:02.000000Z");
    assert_eq!(keys(&batch).len(), 15);
}

#[actix_web::test]
async fn of_many_eight_are_shown_and_those_first_whom_the_reader_follows() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    for _ in 0..9 {
        let other = stage.api.create_user().await;
        stage.heart(&other).await;
    }
    let follow = format!(
        "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), {}, {})",
        stage.ana.user.id, stage.ben.user.id
    );
    stage.api.database().execute(&follow).await;

    let [batch] = stage.list().await.try_into().unwrap();

    let actors = batch["actors"].as_array().unwrap();
    assert_eq!(actors.len(), 8);
    assert_eq!(actors[0]["name"], "Ben 🌿");
    assert_eq!(actors[1], batch["from_user"]);
    assert_eq!(batch["actor_count"], 10);
}

#[actix_web::test]
async fn a_message_begins_with_the_name_that_is_shown_beside_it_however_they_are_called_by_now() {
    let stage = Stage::set().await;
    stage.act(&stage.ben, "reactions", &json!({"emoji_code": "hug"})).await;
    stage.link(&stage.ben).await;
    stage.act(&stage.ben, "comments", &json!({"content": "So kind"})).await;
    let send = json!({
        "share_method": "message",
        "recipient_ids": [i64::from(stage.ana.user.id)],
        "message": "Look",
    });
    stage.act(&stage.ben, "share", &send).await;
    set_display_name(&stage.api, stage.ben.user.id, "B. ''the Bus'' (2 times)").await;

    let list = stage.list().await;

    assert_eq!(list.len(), 4);
    for told in &list {
        assert_eq!(told["from_user"]["name"], "B. 'the Bus' (2 times)");
        let message = told["message"].as_str().unwrap();
        assert!(message.starts_with("B. 'the Bus' (2 times) "), "{message}");
    }
    assert_eq!(list[0]["data"]["share_message"], "Look");
    let stored = "notifications WHERE message LIKE 'Ben 🌿 %'";
    assert_eq!(stage.api.database().count(stored).await, 4, "nothing was rewritten");
}

#[actix_web::test]
async fn whoever_is_gone_is_called_unknown() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.api.database().execute("UPDATE notifications SET actor_id = NULL").await;

    let [told] = stage.list().await.try_into().unwrap();

    let nobody = json!({"id": "0", "name": "Unknown User", "username": "unknown", "image": null});
    assert_eq!(told["from_user"], nobody);
    assert_eq!(told["message"], "Unknown User liked your post");
}

#[actix_web::test]
async fn the_newest_activity_comes_first() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.link(&stage.ben).await;
    assert_eq!(types(&stage.list().await), ["post_shared", "like"]);

    stage.heart(&stage.caro).await;

    assert_eq!(types(&stage.list().await), ["post_interaction", "post_shared"]);
}

#[actix_web::test]
async fn a_list_is_twenty_long_and_leads_on_to_its_end() {
    let stage = Stage::set().await;
    fill(&stage, 100).await;

    let pages = walk(&stage.api, &stage.ana, LIST).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 20, 20, 20, 1]);
    let all = pages.concat();
    let pages = walk(&stage.api, &stage.ana, &format!("{LIST}/?limit=100")).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    assert_eq!(pages.concat(), all);

    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 101);
    let path = format!("{LIST}?limit=2&offset=99");
    let part = stage.api.get(&path).by(&stage.ana).send().await.expect(200);
    assert_eq!(ids(&part.json()), all[99..]);
    assert_eq!(next(&part), None);
}

#[actix_web::test]
async fn only_what_is_unread_is_listed_where_that_is_asked_for_on_every_page() {
    let stage = Stage::set().await;
    fill(&stage, 60).await;
    stage.api.database().execute("UPDATE notifications SET read = true WHERE seq % 2 = 1").await;

    let pages = walk(&stage.api, &stage.ana, &format!("{LIST}?unread_only=true")).await;
    let all = walk(&stage.api, &stage.ana, &format!("{LIST}?unread_only=false")).await;

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 11]);
    assert_eq!(all.concat().len(), 61);
    assert_eq!(stage.summary().await, json!({"unread_count": 31, "total_count": 61}));
}

#[actix_web::test]
async fn bounds_and_cursors_that_are_wrong_are_refused() {
    let stage = Stage::set().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("unread_only=maybe", "unread_only"),
        ("cursor=x", "cursor"),
        // That of another list.
        ("cursor=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
    ] {
        let refused = stage.api.get(&format!("{LIST}?{query}")).by(&stage.ana).send().await;
        assert_eq!(refused_fields(&refused), [field], "{query}");
    }
}

#[actix_web::test]
async fn a_cursor_of_the_children_is_none_of_the_list() {
    let stage = Stage::set().await;
    fill(&stage, 3).await;
    let batch = stage.list().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{LIST}/{batch}/children?limit=1");
    let children = stage.api.get(&path).by(&stage.ana).send().await.expect(200);
    let cursor = next(&children).unwrap().split("cursor=").nth(1).unwrap().to_owned();

    let path = format!("{LIST}?limit=1&cursor={cursor}");
    let refused = stage.api.get(&path).by(&stage.ana).send().await;

    assert_eq!(refused_fields(&refused), ["cursor"]);
}

#[actix_web::test]
async fn the_summary_counts_the_list_and_no_entries() {
    let stage = Stage::set().await;
    assert_eq!(stage.summary().await, json!({"unread_count": 0, "total_count": 0}));
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;
    stage.link(&stage.ben).await;

    assert_eq!(stage.summary().await, json!({"unread_count": 2, "total_count": 2}));
    let batch = stage.list().await[1]["id"].clone();
    stage.read(batch.as_str().unwrap()).await.expect(200);

    assert_eq!(stage.summary().await, json!({"unread_count": 1, "total_count": 2}));
}

#[actix_web::test]
async fn nobody_sees_what_another_is_told_nor_without_a_token() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;

    let bens = stage.api.get(LIST).by(&stage.ben).send().await.expect(200);
    let nobodys = stage.api.get(LIST).send().await;

    assert_eq!(bens.json(), json!([]));
    assert_eq!(problem(&nobodys, 401).0, "authentication_error");
}

#[actix_web::test]
async fn no_answer_shows_an_address() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;

    let text = json!(stage.list().await).to_string();

    for user in [&stage.ana.user, &stage.ben.user, &stage.caro.user] {
        assert!(!text.contains(user.email.as_str()), "{text}");
    }
}

fn types(list: &[Value]) -> Vec<&str> {
    list.iter().map(|told| told["type"].as_str().unwrap()).collect()
}
