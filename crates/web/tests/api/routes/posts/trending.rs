//! `/api/v1/posts/trending`.

use chrono::TimeDelta;
use grateful_domain::{Post, PostId};
use grateful_testkit::{Api, NOON, TestDatabase, a_post};

use crate::support::{AUTHOR_FIELDS, POST_FIELDS, ids, invalid_fields, next_link, sorted_keys};

const TRENDING: &str = "/api/v1/posts/trending";

#[actix_web::test]
async fn posts_in_the_window_are_sorted_by_engagement() {
    let (api, [ana]) = Api::with_users().await;
    let (shared, hearted) =
        (insert_post_hours_ago(&api, 1).await, insert_post_hours_ago(&api, 2).await);
    let (older, ignored) =
        (insert_post_hours_ago(&api, 25).await, insert_post_hours_ago(&api, 1).await);
    set_columns(api.database(), shared.id, "shares_count = 1").await;
    set_columns(api.database(), hearted.id, "hearts_count = 3, reactions_count = 1").await;
    set_columns(api.database(), older.id, "hearts_count = 100").await;
    set_columns(api.database(), ignored.id, "comments_count = 100").await;

    for (query, posts) in [
        ("", &[&hearted, &shared][..]),
        ("?window_hours=24&limit=10", &[&hearted, &shared]),
        ("?window_hours=168", &[&older, &hearted, &shared]),
        ("?window_hours=1", &[&shared]),
        ("?limit=1", &[&hearted]),
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
async fn the_limit_is_10_by_default() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..12 {
        insert_post_hours_ago(&api, 1).await;
    }
    api.database().execute("UPDATE posts SET hearts_count = 1").await;

    for (query, length) in [("", 10), ("?limit=100", 12), ("?offset=3&cursor=x", 10)] {
        let response = api.get(&format!("{TRENDING}{query}")).by(&ana).send().await.expect(200);
        assert_eq!(ids(&response.json()).len(), length, "{query}");
    }
}

#[actix_web::test]
async fn invalid_query_parameters_are_rejected() {
    let (api, [ana]) = Api::with_users().await;

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

async fn insert_post_hours_ago(api: &Api, hours: i64) -> Post {
    a_post().at(NOON - TimeDelta::hours(hours)).insert_into(api.database()).await
}

async fn set_columns(database: &TestDatabase, post: PostId, assignments: &str) {
    database.execute(&format!("UPDATE posts SET {assignments} WHERE id = '{post}'")).await;
}
