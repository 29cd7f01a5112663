//! `/api/v1/posts/feed`: the ranked feed.

use grateful_domain::{Engagement, Post, PostId, PostType};
use grateful_testkit::{Api, ApiResponse, Caller, NOON, TestDatabase, a_post, create_user};
use serde_json::json;

use crate::support::{fetch_all_pages, ids, invalid_fields, next_link, sorted_keys};

const FEED: &str = "/api/v1/posts/feed";

const IMAGE: &str = "/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg";

#[actix_web::test]
async fn an_explained_score_is_the_product_of_its_factors() {
    let (api, [ana]) = Api::with_users().await;
    let engagement = Engagement { hearts: 3, reactions: 2, shares: 1, comments: 9 };
    let photo = a_post().with(|draft| {
        draft.post_type = PostType::Photo;
        draft.image_url = Some(grateful_domain::ImageUrl::from_stored(IMAGE.to_owned()));
    });
    let photo = photo.at(NOON - chrono::TimeDelta::hours(12)).insert_into(api.database()).await;
    set_engagement(api.database(), photo.id, engagement).await;
    follow(api.database(), &ana, &photo).await;
    let spontaneous = a_post().with(|draft| draft.post_type = PostType::Spontaneous);
    spontaneous.at(NOON - chrono::TimeDelta::hours(48)).insert_into(api.database()).await;

    for query in ["?explain=true", "?algorithm=false&explain=1"] {
        let posts = api.get(&format!("{FEED}{query}")).by(&ana).send().await.expect(200).json();

        let fields = ["bonus", "decay", "engagement", "relationship", "slot", "total", "worth"];
        for post in posts.as_array().unwrap() {
            assert_eq!(sorted_keys(&post["score"]), fields);
            let factor = |name: &str| post["score"][name].as_f64().unwrap();
            let product = factor("worth") * factor("relationship") * factor("decay");
            assert!((product - factor("total")).abs() <= 1e-9 * factor("total"), "{post}");
        }
        let slot = if query.contains("algorithm") { "fresh" } else { "ranked" };
        let mut first = posts[0]["score"].clone();
        let decay = first["decay"].take().as_f64().unwrap();
        assert!((decay - 0.5_f64.sqrt()).abs() < 1e-12);
        let total = first["total"].take().as_f64().unwrap();
        assert!((total - 25.0 * 0.5_f64.sqrt()).abs() < 1e-9);
        assert_eq!(
            first,
            json!({"total": null, "decay": null, "engagement": 10.0, "bonus": 2.5, "worth": 12.5, "relationship": 2.0, "slot": slot})
        );
        let second = json!({"total": 0.125, "decay": 0.25, "engagement": 0.0, "bonus": 0.0, "worth": 0.5, "relationship": 1.0, "slot": slot});
        assert_eq!(posts[1]["score"], second);
    }
}

#[actix_web::test]
async fn next_links_cover_the_feed_without_duplicates_for_any_page_size() {
    let (api, [ana]) = Api::with_users().await;
    insert_ranked_posts(&api, 130).await;

    let in_twos = fetch_all_pages(&api, &ana, &format!("{FEED}?limit=2"), ApiResponse::json).await;
    let in_sevens =
        fetch_all_pages(&api, &ana, &format!("{FEED}?limit=7"), ApiResponse::json).await;

    let mut posts = in_twos.concat();
    assert_eq!(posts, in_sevens.concat());
    assert_eq!((posts.len(), in_sevens.len()), (130, 19));
    posts.sort_unstable();
    posts.dedup();
    assert_eq!(posts.len(), 130);
}

#[actix_web::test]
async fn the_feed_ends_after_500_posts() {
    let (api, [ana]) = Api::with_users().await;
    insert_ranked_posts(&api, 530).await;

    let pages = fetch_all_pages(&api, &ana, &format!("{FEED}?limit=99"), ApiResponse::json).await;

    assert_eq!((pages.concat().len(), pages.len()), (500, 6));
}

#[actix_web::test]
async fn an_offset_skips_positions_of_a_new_feed() {
    let (api, [ana]) = Api::with_users().await;
    insert_ranked_posts(&api, 530).await;
    let pages = fetch_all_pages(&api, &ana, &format!("{FEED}?limit=100"), ApiResponse::json).await;
    let all = pages.concat();

    for (query, range) in [
        ("?offset=0&limit=3", 0..3),
        ("?offset=4&limit=3", 4..7),
        ("?offset=480&limit=100", 480..500),
        ("?offset=499&limit=1", 499..500),
        ("?offset=500", 500..500),
    ] {
        let response = api.get(&format!("{FEED}{query}")).by(&ana).send().await.expect(200);
        assert_eq!(ids(&response.json()), all[range.clone()], "{query}");
        assert_eq!(next_link(&response).is_some(), range.end < 500, "{query}");
    }
    let page = api.get(&format!("{FEED}?offset=4&limit=3")).by(&ana).send().await.expect(200);
    let next = api.get(&next_link(&page).unwrap()).by(&ana).send().await.expect(200);
    assert_eq!(ids(&next.json()), all[7..10]);
}

#[actix_web::test]
async fn a_cursor_with_too_many_positions_is_rejected() {
    let (api, [ana]) = Api::with_users().await;
    insert_ranked_posts(&api, 530).await;
    let last = api.get(&format!("{FEED}?offset=399&limit=100")).by(&ana).send().await.expect(200);
    let link = next_link(&last).unwrap();
    let cursor = link.split_once("cursor=").unwrap().1;
    assert_eq!(cursor.len(), 5378);

    api.get(&link).by(&ana).send().await.expect(200);
    // One more position takes 8 bytes.
    let forged = format!("{FEED}?cursor={cursor}AAAAAAAAAAA");
    let response = api.get(&forged).by(&ana).send().await;
    assert_eq!(invalid_fields(&response), ["cursor"]);
}

/// Inserts posts by 40 authors.
async fn insert_ranked_posts(api: &Api, count: u32) {
    let first = create_user(api.database()).await;
    api.database()
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'q' || n || '@example.org', 'q' || n, '' FROM generate_series(1, 39) n;
             INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), {first} + n % 40, 'Rain', timestamptz '2026-01-05 12:00Z' - n * interval '1 hour', n * n % 97
             FROM generate_series(1, {count}) n"
        ))
        .await;
}

async fn set_engagement(database: &TestDatabase, post: PostId, engagement: Engagement) {
    let Engagement { hearts, reactions, shares, comments } = engagement;
    database.execute(&format!(
        "UPDATE posts SET hearts_count = {hearts}, reactions_count = {reactions}, shares_count = {shares},
             comments_count = {comments} WHERE id = '{post}'"
    ))
    .await;
}

async fn follow(database: &TestDatabase, follower: &Caller, post: &Post) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), {}, {})",
            follower.user.id, post.author
        ))
        .await;
}
