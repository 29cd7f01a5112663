//! `/posts/feed` as it is unless asked otherwise: the best first.

use grateful_domain::{Engagement, Post, PostId, PostType, Visibility};
use grateful_testkit::{Api, ApiResponse, Caller, NOON, TestDatabase, a_post, block, create_user};
use serde_json::{Value, json};

use crate::support::{POST_FIELDS, fetch_all_pages, ids, invalid_fields, next_link, sorted_keys};

const FEED: &str = "/api/v1/posts/feed";

const PICTURE: &str = "/uploads/posts/01937b5e-7c2a-7000-8000-0123456789ab.jpg";

#[actix_web::test]
async fn the_best_posts_come_first_and_a_follow_counts_for_two() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let posts = saved(&api, 4).await;
    for (post, hearts) in [(&posts[0], 10), (&posts[1], 30), (&posts[2], 22), (&posts[3], 0)] {
        like(api.database(), post.id, hearts).await;
    }
    // 2 · (10 + 3) is more than 22 + 3.
    follow(api.database(), &ana, &posts[0]).await;

    let response = api.get(FEED).by(&ana).send().await.expect(200);

    assert_eq!(response.header("content-type"), Some("application/json"));
    let best = [1, 0, 2, 3].map(|n: usize| posts[n].id.to_string());
    assert_eq!(ids(&response.json()), best);
    assert_eq!(sorted_keys(&response.json()[0]), POST_FIELDS);
    assert_eq!(next_link(&response), None);
}

#[actix_web::test]
async fn every_fifth_post_is_the_newest_that_is_left() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let posts = saved(&api, 12).await;
    for (hearts, post) in posts.iter().rev().enumerate() {
        like(api.database(), post.id, 10 * hearts).await;
    }

    let response = api.get(&format!("{FEED}?explain=true")).by(&ana).send().await.expect(200);

    let order = [0, 1, 2, 3, 11, 4, 5, 6, 7, 10, 8, 9].map(|n: usize| posts[n].id.to_string());
    assert_eq!(ids(&response.json()), order);
    let slots = slots(&response);
    assert!((1..=12).all(|place| (slots[place - 1] == "fresh") == (place % 5 == 0)), "{slots:?}");
}

#[actix_web::test]
async fn nobodys_private_posts_are_there_nor_any_across_a_block() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let own = a_post().by(ana.user.id).insert_into(api.database()).await.id.to_string();
    a_post().by(ana.user.id).private().insert_into(api.database()).await;
    a_post().private().insert_into(api.database()).await;
    a_post().by(ben.user.id).insert_into(api.database()).await;
    block(api.database(), ben.user.id, ana.user.id).await;

    for query in ["", "?explain=true", "?algorithm=false", "?algorithm=false&explain=true"] {
        let response = api.get(&format!("{FEED}{query}")).by(&ana).send().await.expect(200);
        assert_eq!(ids(&response.json()), [own.as_str()], "{query}");
    }
}

#[actix_web::test]
async fn an_explained_score_is_the_product_of_its_parts() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let engagement = Engagement { hearts: 3, reactions: 2, shares: 1, comments: 9 };
    let photo = a_post().with(|draft| {
        draft.post_type = PostType::Photo;
        draft.image_url = grateful_domain::ImageUrl::parse(PICTURE).unwrap();
    });
    let photo = photo.at(NOON - chrono::TimeDelta::hours(12)).insert_into(api.database()).await;
    engage(api.database(), photo.id, engagement).await;
    follow(api.database(), &ana, &photo).await;
    let spontaneous = a_post().with(|draft| draft.post_type = PostType::Spontaneous);
    spontaneous.at(NOON - chrono::TimeDelta::hours(48)).insert_into(api.database()).await;

    for query in ["?explain=true", "?algorithm=false&explain=1"] {
        let posts = api.get(&format!("{FEED}{query}")).by(&ana).send().await.expect(200).json();

        let parts = ["bonus", "decay", "engagement", "relationship", "slot", "total", "worth"];
        for post in posts.as_array().unwrap() {
            assert_eq!(sorted_keys(&post["score"]), parts);
            let part = |name: &str| post["score"][name].as_f64().unwrap();
            let product = part("worth") * part("relationship") * part("decay");
            assert!((product - part("total")).abs() <= 1e-9 * part("total"), "{post}");
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
async fn the_links_lead_through_the_whole_feed_without_a_repeat_in_the_order_of_any_page() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(&api, 130).await;

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
async fn a_walk_ends_after_five_hundred_places_though_there_are_more() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(&api, 530).await;

    let pages = fetch_all_pages(&api, &ana, &format!("{FEED}?limit=99"), ApiResponse::json).await;

    assert_eq!((pages.concat().len(), pages.len()), (500, 6));
}

#[actix_web::test]
async fn an_offset_passes_over_places_of_a_walk_that_begins_now() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(&api, 530).await;
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
    let behind = api.get(&format!("{FEED}?offset=4&limit=3")).by(&ana).send().await.expect(200);
    let rest = api.get(&next_link(&behind).unwrap()).by(&ana).send().await.expect(200);
    assert_eq!(ids(&rest.json()), all[7..10]);
}

#[actix_web::test]
async fn a_cursor_of_too_many_places_is_refused() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    fill(&api, 530).await;
    let last = api.get(&format!("{FEED}?offset=399&limit=100")).by(&ana).send().await.expect(200);
    let link = next_link(&last).unwrap();
    let cursor = link.split_once("cursor=").unwrap().1;
    assert_eq!(cursor.len(), 5378);

    api.get(&link).by(&ana).send().await.expect(200);
    // One place more is 8 bytes more.
    let forged = format!("{FEED}?cursor={cursor}AAAAAAAAAAA");
    let response = api.get(&forged).by(&ana).send().await;
    assert_eq!(invalid_fields(&response), ["cursor"]);
}

fn slots(response: &ApiResponse) -> Vec<String> {
    let posts = response.json();
    let slot = |post: &Value| post["score"]["slot"].as_str().unwrap().to_owned();
    posts.as_array().unwrap().iter().map(slot).collect()
}

/// So many posts at [`NOON`], of people of their own, each a millisecond newer than the one before.
async fn saved(api: &Api, posts: usize) -> Vec<Post> {
    let mut saved = Vec::new();
    for _ in 0..posts {
        let post = a_post().with(|draft| draft.visibility = Visibility::Public);
        saved.push(post.insert_into(api.database()).await);
    }
    saved
}

/// So many posts of 40 people.
async fn fill(api: &Api, posts: u32) {
    let first = create_user(api.database()).await;
    api.database()
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'q' || n || '@example.org', 'q' || n, '' FROM generate_series(1, 39) n;
             INSERT INTO posts (id, author_id, content, created_at, hearts_count)
             SELECT gen_random_uuid(), {first} + n % 40, 'Rain', timestamptz '2026-01-05 12:00Z' - n * interval '1 hour', n * n % 97
             FROM generate_series(1, {posts}) n"
        ))
        .await;
}

async fn like(database: &TestDatabase, post: PostId, hearts: usize) {
    engage(
        database,
        post,
        Engagement { hearts: hearts.try_into().unwrap(), ..Engagement::default() },
    )
    .await;
}

async fn engage(database: &TestDatabase, post: PostId, engagement: Engagement) {
    let Engagement { hearts, reactions, shares, comments } = engagement;
    database.execute(&format!(
        "UPDATE posts SET hearts_count = {hearts}, reactions_count = {reactions}, shares_count = {shares},
             comments_count = {comments} WHERE id = '{post}'"
    ))
    .await;
}

async fn follow(database: &TestDatabase, who: &Caller, author_of: &Post) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id) VALUES (gen_random_uuid(), {}, {})",
            who.user.id, author_of.author
        ))
        .await;
}
