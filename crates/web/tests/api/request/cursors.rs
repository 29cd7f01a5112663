//! Cursors belong to the list that issued them (docs/http-api.md#pagination).

use grateful_domain::{PostId, UserId};
use grateful_testkit::{Api, Caller, a_post};
use serde_json::{Value, json};

use crate::support::follows::{create_user_with_approval, follow_path, user_id, user_path};
use crate::support::notifications::NOTIFICATIONS;
use crate::support::{invalid_fields, next_link, post_path, post_subpath};

/// The first page of each list, of every kind and for two resources of each kind. Each has a second page for Ana.
async fn lists(api: &Api, ana: &Caller) -> Vec<String> {
    let mut lists = Vec::new();
    let [ben, caro] = [api.create_user().await, api.create_user().await];
    for author in [&ben, &caro] {
        let posts = [insert_post(api, author).await, insert_post(api, author).await];
        for user in [ana, &ben, &caro, &api.create_user().await] {
            engage(api, user, posts[0]).await;
        }
        let comments = post_subpath(posts[0], "comments");
        let parent = first_id(api, ana, &comments).await;
        for text in ["A", "B"] {
            let reply = json!({"content": text, "parent_id": parent});
            api.post(&comments).by(ana).json(&reply).send().await.expect(201);
        }
        lists.extend(
            ["hearts/users", "reactions", "comments"].map(|rest| post_subpath(posts[0], rest)),
        );
        lists.push(format!("/api/v1/comments/{parent}/replies"));
        lists.push(format!("/api/v1/users/{}/posts", author.user.id));
        for _ in 0..2 {
            let other = api.create_user().await;
            api.post(&follow_path(user_id(author))).by(&other).send().await.expect(201);
            api.post(&follow_path(user_id(&other))).by(author).send().await.expect(201);
            let blocked = api.create_user().await;
            api.post(&user_path(&blocked, "block")).by(ana).send().await.expect(200);
        }
        lists.push(user_path(author, "followers"));
        lists.push(user_path(author, "following"));
    }
    lists.extend(["/api/v1/posts/feed", "/api/v1/posts/feed?algorithm=false"].map(str::to_owned));
    lists.push("/api/v1/users/me/blocks".to_owned());
    lists
}

#[actix_web::test]
async fn a_cursor_is_rejected_by_every_list_but_its_own() {
    let (api, [ana]) = Api::with_users().await;
    let lists = lists(&api, &ana).await;

    for list in &lists {
        let cursor = first_cursor(&api, &ana, list).await;
        for other in &lists {
            let response = api.get(&with_query(other, &format!("cursor={cursor}"))).by(&ana);
            let response = response.send().await;
            if other == list {
                response.expect(200);
            } else {
                assert_eq!(invalid_fields(&response), ["cursor"], "cursor of {list} for {other}");
            }
        }
    }
}

#[actix_web::test]
async fn a_cursor_of_a_filtered_list_is_rejected_without_the_filter() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..2 {
        let post = insert_post(&api, &ana).await;
        let ben = api.create_user().await;
        api.post(&post_subpath(post, "heart")).by(&ben).send().await.expect(201);
    }
    let (all, unread) = (NOTIFICATIONS.to_owned(), format!("{NOTIFICATIONS}?unread_only=true"));
    let spelled_out = format!("{NOTIFICATIONS}?unread_only=False");

    for (list, same, other) in [(&all, &spelled_out, &unread), (&unread, &unread, &all)] {
        let cursor = format!("cursor={}", first_cursor(&api, &ana, list).await);
        api.get(&with_query(same, &cursor)).by(&ana).send().await.expect(200);
        let response = api.get(&with_query(other, &cursor)).by(&ana).send().await;
        assert_eq!(invalid_fields(&response), ["cursor"], "cursor of {list} for {other}");
    }
}

#[actix_web::test]
async fn a_cursor_of_ones_own_posts_is_rejected_at_the_path_of_a_user() {
    let (api, [ana]) = Api::with_users().await;
    insert_post(&api, &ana).await;
    insert_post(&api, &ana).await;
    let by_id = format!("/api/v1/users/{}/posts", ana.user.id);

    let cursor = first_cursor(&api, &ana, "/api/v1/users/me/posts").await;
    let response = api.get(&with_query(&by_id, &format!("cursor={cursor}"))).by(&ana).send().await;

    assert_eq!(invalid_fields(&response), ["cursor"]);
}

#[actix_web::test]
async fn a_cursor_of_follow_requests_is_rejected_by_blocks() {
    let api = Api::create().await;
    let ana = create_user_with_approval(&api).await;
    for _ in 0..2 {
        let other = api.create_user().await;
        api.post(&follow_path(user_id(&ana))).by(&other).send().await.expect(201);
    }

    let cursor = first_cursor(&api, &ana, "/api/v1/follows/requests").await;
    let path = format!("/api/v1/users/me/blocks?cursor={cursor}");

    assert_eq!(invalid_fields(&api.get(&path).by(&ana).send().await), ["cursor"]);
}

#[actix_web::test]
async fn a_cursor_does_not_depend_on_how_the_path_and_the_page_are_written() {
    let (api, [ana]) = Api::with_users().await;
    let post = insert_post(&api, &ana).await;
    for _ in 0..2 {
        engage(&api, &api.create_user().await, post).await;
    }
    let path = post_path(post);
    let upper = format!("/api/v1/posts/{}", post.to_string().to_uppercase());

    let cursor = first_cursor(&api, &ana, &format!("{path}/comments")).await;

    for other in [format!("{upper}/comments"), format!("{path}/comments/")] {
        let other = format!("{other}?x=1&limit=7&cursor={cursor}");
        api.get(&other).by(&ana).send().await.expect(200);
    }
}

/// The cursor of the second page of a list.
async fn first_cursor(api: &Api, caller: &Caller, list: &str) -> String {
    let response = api.get(&with_query(list, "limit=1")).by(caller).send().await.expect(200);
    let link = next_link(&response).unwrap_or_else(|| panic!("{list} has no second page"));
    link.split_once("cursor=").unwrap().1.to_owned()
}

fn with_query(path: &str, query: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}{query}")
}

async fn insert_post(api: &Api, author: &Caller) -> PostId {
    let author: UserId = author.user.id;
    a_post().by(author).insert_into(api.database()).await.id
}

/// Adds a heart, a reaction and a comment.
async fn engage(api: &Api, user: &Caller, post: PostId) {
    let acts = [
        ("heart", json!({})),
        ("reactions", json!({"emoji_code": "hug"})),
        ("comments", json!({"content": "A"})),
    ];
    for (rest, body) in acts {
        api.post(&post_subpath(post, rest)).by(user).json(&body).send().await.expect(201);
    }
}

async fn first_id(api: &Api, caller: &Caller, list: &str) -> String {
    let list: Value = api.get(list).by(caller).send().await.expect(200).data();
    list[0]["id"].as_str().unwrap().to_owned()
}
