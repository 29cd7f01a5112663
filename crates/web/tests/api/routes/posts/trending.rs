//! `/posts/trending`: what moves people right now.

use chrono::TimeDelta;
use grateful_domain::{Post, PostId};
use grateful_testkit::{Api, NOON, TestDatabase, a_post, block};
use serde_json::json;

use crate::support::{AUTHOR_FIELDS, POST_FIELDS, ids, invalid_fields, next_link, sorted_keys};

const TRENDING: &str = "/api/v1/posts/trending";

#[actix_web::test]
async fn what_moved_people_most_inside_the_window_comes_first() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let (shared, loved) = (hours_ago(&api, 1).await, hours_ago(&api, 2).await);
    let (older, ignored) = (hours_ago(&api, 25).await, hours_ago(&api, 1).await);
    set(api.database(), shared.id, "shares_count = 1").await;
    set(api.database(), loved.id, "hearts_count = 3, reactions_count = 1").await;
    set(api.database(), older.id, "hearts_count = 100").await;
    set(api.database(), ignored.id, "comments_count = 100").await;

    for (query, posts) in [
        ("", &[&loved, &shared][..]),
        ("?window_hours=24&limit=10", &[&loved, &shared]),
        ("?window_hours=168", &[&older, &loved, &shared]),
        ("?window_hours=1", &[&shared]),
        ("?limit=1", &[&loved]),
    ] {
        let response = api.get(&format!("{TRENDING}{query}")).by(&ana).send().await.expect(200);
        let expected: Vec<String> = posts.iter().map(|post| post.id.to_string()).collect();
        assert_eq!(ids(&response.json()), expected, "{query}");
        assert_eq!(sorted_keys(&response.json()[0]), POST_FIELDS);
        assert_eq!(sorted_keys(&response.json()[0]["author"]), AUTHOR_FIELDS);
        assert_eq!(next_link(&response), None);
    }
}

#[actix_web::test]
async fn of_two_that_moved_as_many_the_newer_comes_first() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let (older, newer) = (hours_ago(&api, 3).await, hours_ago(&api, 2).await);
    for post in [&older, &newer] {
        set(api.database(), post.id, "hearts_count = 1").await;
    }

    let response = api.get(TRENDING).by(&ana).send().await.expect(200);

    assert_eq!(ids(&response.json()), [newer.id.to_string(), older.id.to_string()]);
}

#[actix_web::test]
async fn ten_are_trending_unless_asked_otherwise() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    for _ in 0..12 {
        hours_ago(&api, 1).await;
    }
    api.database().execute("UPDATE posts SET hearts_count = 1").await;

    for (query, length) in [("", 10), ("?limit=100", 12), ("?offset=3&cursor=x", 10)] {
        let response = api.get(&format!("{TRENDING}{query}")).by(&ana).send().await.expect(200);
        assert_eq!(ids(&response.json()).len(), length, "{query}");
    }
}

#[actix_web::test]
async fn nothing_private_and_nobody_across_a_block_is_trending() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    a_post().by(ana.user.id).private().insert_into(api.database()).await;
    a_post().by(ben.user.id).insert_into(api.database()).await;
    api.database().execute("UPDATE posts SET hearts_count = 9").await;
    block(api.database(), ana.user.id, ben.user.id).await;

    let response = api.get(TRENDING).by(&ana).send().await.expect(200);

    assert_eq!(response.json(), json!([]));
}

#[actix_web::test]
async fn a_window_or_a_limit_out_of_bounds_is_refused() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for (query, fields) in [
        ("?window_hours=0", &["window_hours"][..]),
        ("?window_hours=169", &["window_hours"]),
        ("?window_hours=-1", &["window_hours"]),
        ("?window_hours=1.5", &["window_hours"]),
        ("?window_hours=", &["window_hours"]),
        ("?window_hours=%00", &["window_hours"]),
        ("?window_hours=99999999999999999999", &["window_hours"]),
        ("?limit=0", &["limit"]),
        ("?limit=101&window_hours=day", &["limit", "window_hours"]),
    ] {
        let response = api.get(&format!("{TRENDING}{query}")).by(&ana).send().await;
        assert_eq!(invalid_fields(&response), fields, "{query}");
    }
}

async fn hours_ago(api: &Api, hours: i64) -> Post {
    a_post().at(NOON - TimeDelta::hours(hours)).insert_into(api.database()).await
}

async fn set(database: &TestDatabase, post: PostId, columns: &str) {
    database.execute(&format!("UPDATE posts SET {columns} WHERE id = '{post}'")).await;
}
