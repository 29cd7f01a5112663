//! `/api/v1/notifications` and `/api/v1/notifications/summary`.

mod children;
mod mentions;
mod read;
mod retracted_words;
mod stats;
mod stream;
mod stream_ticket;

use grateful_testkit::Caller;
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario, insert_batch, set_display_name};
use crate::support::{NOON, ids, invalid_fields, next_link, problem_code_and_detail, sorted_keys};

#[actix_web::test]
async fn the_list_is_not_enveloped_and_a_notification_has_all_fields() {
    let scenario = Scenario::create().await;
    let (ben, post) = (&scenario.ben.user, scenario.post.to_string());
    let path = format!("/api/v1/posts/{post}/heart");
    scenario.api.post(&path).by(&scenario.ben).send().await.expect(201);

    let response = scenario.api.get(NOTIFICATIONS).by(&scenario.ana).send().await.expect(200);

    assert_eq!(response.header("content-type"), Some("application/json"));
    let mut list = response.json();
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
async fn a_batch_counts_its_children_and_shows_the_latest_actors() {
    let scenario = Scenario::create().await;
    let photo = "/uploads/profile_photos/profile_1_medium.jpg";
    let sql = "UPDATE users SET profile_image_url =";
    let sql = format!("{sql} '{photo}' WHERE id = {}", scenario.caro.user.id);
    scenario.api.database().execute(&sql).await;
    scenario.add_heart(&scenario.ben).await;
    scenario.add_heart(&scenario.caro).await;

    let [batch] = scenario.list().await.try_into().unwrap();

    let actor = |caller: &Caller, name: &str, image: Value| {
        let (id, username) = (caller.user.id.to_string(), caller.user.username.as_str());
        json!({"id": id, "name": name, "username": username, "image": image})
    };
    let (ben, caro) =
        (actor(&scenario.ben, "Ben 🌿", json!(null)), actor(&scenario.caro, "Caro", json!(photo)));
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
    assert_eq!(sorted_keys(&batch).len(), 15);
}

#[actix_web::test]
async fn a_message_starts_with_the_current_name_of_the_actor() {
    let scenario = Scenario::create().await;
    scenario.act(&scenario.ben, "reactions", &json!({"emoji_code": "hug"})).await;
    scenario.share_link(&scenario.ben).await;
    scenario.act(&scenario.ben, "comments", &json!({"content": "So kind"})).await;
    let send = json!({
        "share_method": "message",
        "recipient_ids": [i64::from(scenario.ana.user.id)],
        "message": "Look",
    });
    scenario.act(&scenario.ben, "share", &send).await;
    set_display_name(&scenario.api, scenario.ben.user.id, "B. ''the Bus'' (2 times)").await;

    let list = scenario.list().await;

    assert_eq!(list.len(), 4);
    for notification in &list {
        assert_eq!(notification["from_user"]["name"], "B. 'the Bus' (2 times)");
        let message = notification["message"].as_str().unwrap();
        assert!(message.starts_with("B. 'the Bus' (2 times) "), "{message}");
    }
    assert_eq!(list[0]["data"]["share_message"], "Look");
}

#[actix_web::test]
async fn a_deleted_actor_is_shown_as_unknown() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.api.database().execute("UPDATE notifications SET actor_id = NULL").await;

    let [notification] = scenario.list().await.try_into().unwrap();

    let unknown = json!({"id": "0", "name": "Unknown User", "username": "unknown", "image": null});
    assert_eq!(notification["from_user"], unknown);
    assert_eq!(notification["message"], "Unknown User liked your post");
}

#[actix_web::test]
async fn a_page_has_20_items_by_default_and_links_to_the_next() {
    let scenario = Scenario::create().await;
    insert_batch(&scenario, 100).await;

    let pages = scenario.fetch_all_pages(NOTIFICATIONS).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 20, 20, 20, 1]);
    let all = pages.concat();
    let pages = scenario.fetch_all_pages(&format!("{NOTIFICATIONS}/?limit=100")).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    assert_eq!(pages.concat(), all);

    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 101);
    let path = format!("{NOTIFICATIONS}?limit=2&offset=99");
    let last = scenario.api.get(&path).by(&scenario.ana).send().await.expect(200);
    assert_eq!(ids(&last.json()), all[99..]);
    assert_eq!(next_link(&last), None);
}

#[actix_web::test]
async fn unread_only_filters_every_page() {
    let scenario = Scenario::create().await;
    insert_batch(&scenario, 60).await;
    scenario.api.database().execute("UPDATE notifications SET read = true WHERE seq % 2 = 1").await;
    scenario.api.database().recount_inboxes().await;

    let pages = scenario.fetch_all_pages(&format!("{NOTIFICATIONS}?unread_only=true")).await;
    let all = scenario.fetch_all_pages(&format!("{NOTIFICATIONS}?unread_only=false")).await;

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 11]);
    assert_eq!(all.concat().len(), 61);
    assert_eq!(scenario.summary().await, json!({"unread_count": 31, "total_count": 61}));
}

#[actix_web::test]
async fn invalid_query_parameters_are_rejected() {
    let scenario = Scenario::create().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("unread_only=maybe", "unread_only"),
        ("cursor=x", "cursor"),
        // The cursors of another list and of an earlier version.
        ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("cursor=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
    ] {
        let response =
            scenario.api.get(&format!("{NOTIFICATIONS}?{query}")).by(&scenario.ana).send().await;
        assert_eq!(invalid_fields(&response), [field], "{query}");
    }
}

#[actix_web::test]
async fn a_cursor_of_the_children_is_invalid_for_the_list() {
    let scenario = Scenario::create().await;
    insert_batch(&scenario, 3).await;
    let batch = scenario.list().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{NOTIFICATIONS}/{batch}/children?limit=1");
    let children = scenario.api.get(&path).by(&scenario.ana).send().await.expect(200);
    let cursor = next_link(&children).unwrap().split("cursor=").nth(1).unwrap().to_owned();

    let path = format!("{NOTIFICATIONS}?limit=1&cursor={cursor}");
    let response = scenario.api.get(&path).by(&scenario.ana).send().await;

    assert_eq!(invalid_fields(&response), ["cursor"]);
}

#[actix_web::test]
async fn the_summary_counts_the_list_without_children() {
    let scenario = Scenario::create().await;
    assert_eq!(scenario.summary().await, json!({"unread_count": 0, "total_count": 0}));
    scenario.add_heart(&scenario.ben).await;
    scenario.add_heart(&scenario.caro).await;
    scenario.share_link(&scenario.ben).await;

    assert_eq!(scenario.summary().await, json!({"unread_count": 2, "total_count": 2}));
    let batch = scenario.list().await[1]["id"].clone();
    scenario.mark_read(batch.as_str().unwrap()).await.expect(200);

    assert_eq!(scenario.summary().await, json!({"unread_count": 1, "total_count": 2}));
}

#[actix_web::test]
async fn notifications_are_visible_to_their_recipient_only() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;

    let other_user = scenario.api.get(NOTIFICATIONS).by(&scenario.ben).send().await.expect(200);
    let anonymous = scenario.api.get(NOTIFICATIONS).send().await;

    assert_eq!(other_user.json(), json!([]));
    assert_eq!(problem_code_and_detail(&anonymous, 401).0, "authentication_error");
}

#[actix_web::test]
async fn responses_contain_no_email_addresses() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.add_heart(&scenario.caro).await;

    let text = json!(scenario.list().await).to_string();

    for user in [&scenario.ana.user, &scenario.ben.user, &scenario.caro.user] {
        assert!(!text.contains(user.email.as_str()), "{text}");
    }
}
