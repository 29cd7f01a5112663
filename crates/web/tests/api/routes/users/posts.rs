//! `/api/v1/users/me/posts` and `/api/v1/users/{id}/posts`.

use grateful_testkit::{Api, a_post};

use crate::support::{
    AUTHOR_FIELDS, POST_FIELDS, assert_problem, envelope_data, fetch_all_pages, ids,
    invalid_fields, next_link, sorted_keys,
};

const OWN_POSTS: &str = "/api/v1/users/me/posts";

#[actix_web::test]
async fn own_posts_include_private_ones_newest_first_in_an_envelope() {
    let (api, [ana]) = Api::with_users().await;
    let first = a_post().by(ana.user.id).insert_into(api.database()).await.id.to_string();
    let private =
        a_post().by(ana.user.id).private().insert_into(api.database()).await.id.to_string();
    a_post().insert_into(api.database()).await;

    let response = api.get(OWN_POSTS).by(&ana).send().await.expect(200);

    let posts = envelope_data(&response);
    assert_eq!(ids(&posts), [private, first]);
    assert_eq!(sorted_keys(&posts[0]), POST_FIELDS);
    assert_eq!(sorted_keys(&posts[0]["author"]), AUTHOR_FIELDS);
    assert_eq!(next_link(&response), None);
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    let (api, [ana]) = Api::with_users().await;

    for id in [0, -1, i64::MAX, i64::MIN] {
        let response = api.get(&path(id)).by(&ana).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "user", "{id}");
    }
}

#[actix_web::test]
async fn a_malformed_user_id_is_invalid() {
    let (api, [ana]) = Api::with_users().await;

    for id in [
        "x",
        "1.0",
        "1e3",
        "0x1",
        "%20",
        "%00",
        "1%00",
        "%D9%A1",
        "null",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999999999999999",
        "01937b5e-7c2a-7000-8000-000000000001",
    ] {
        let response = api.get(&path(id)).by(&ana).send().await;
        assert_eq!(invalid_fields(&response), ["id"], "{id}");
    }
}

#[actix_web::test]
async fn next_links_cover_all_posts() {
    let (api, [ana, ben]) = Api::with_users().await;
    let mut posts = Vec::new();
    for _ in 0..7 {
        posts.push(a_post().by(ana.user.id).insert_into(api.database()).await.id.to_string());
        a_post().insert_into(api.database()).await;
    }
    posts.reverse();

    let own = fetch_all_pages(&api, &ana, &format!("{OWN_POSTS}/?limit=2"), envelope_data).await;
    let by_ben = fetch_all_pages(
        &api,
        &ben,
        &format!("{}?limit=3&offset=1", path(ana.user.id)),
        envelope_data,
    )
    .await;

    assert_eq!((own.concat(), own.len()), (posts.clone(), 4));
    assert_eq!((by_ben.concat(), by_ben.len()), (posts[1..].to_vec(), 2));
}

fn path(id: impl std::fmt::Display) -> String {
    format!("/api/v1/users/{id}/posts")
}
