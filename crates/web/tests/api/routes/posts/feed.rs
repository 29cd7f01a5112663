//! `/api/v1/posts/feed?algorithm=false`: the chronological feed, and the query parameters of all post lists.

use grateful_testkit::{Api, ApiResponse, a_post};
use serde_json::json;

use crate::support::{
    AUTHOR_FIELDS, POST_FIELDS, assert_problem, envelope_data, fetch_all_pages, ids,
    invalid_fields, next_link, post_path, sorted_keys,
};

const FEED: &str = "/api/v1/posts/feed";

#[actix_web::test]
async fn the_feed_lists_public_posts_newest_first_without_an_envelope() {
    let (api, [ana]) = Api::with_users().await;
    let other = a_post().insert_into(api.database()).await.id.to_string();
    let own = a_post().by(ana.user.id).insert_into(api.database()).await.id.to_string();
    a_post().by(ana.user.id).private().insert_into(api.database()).await;
    a_post().private().insert_into(api.database()).await;

    let response = get_feed(&api, "?algorithm=false").by(&ana).send().await.expect(200);

    assert_eq!(response.header("content-type"), Some("application/json"));
    let posts = response.json();
    assert_eq!(ids(&posts), [own, other]);
    assert_eq!(sorted_keys(&posts[0]), POST_FIELDS);
    assert_eq!(sorted_keys(&posts[0]["author"]), AUTHOR_FIELDS);
}

#[actix_web::test]
async fn the_limit_is_20_by_default() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..21 {
        a_post().by(ana.user.id).insert_into(api.database()).await;
    }

    for (query, length) in [
        ("?algorithm=false", 20),
        ("?algorithm=false&limit=1", 1),
        ("?algorithm=false&limit=100", 21),
        ("?algorithm=0&limit=5&limit=7", 7),
        ("?algorithm=false&offset=20", 1),
        ("?algorithm=false&offset=10000", 0),
        ("?algorithm=false&unknown=%00&=&&x", 20),
    ] {
        let response = get_feed(&api, query).by(&ana).send().await.expect(200);
        assert_eq!(ids(&response.json()).len(), length, "{query}");
    }
}

#[actix_web::test]
async fn all_invalid_query_parameters_are_reported_at_once() {
    let (api, [ana]) = Api::with_users().await;

    for (query, fields) in [
        ("?limit=0", &["limit"][..]),
        ("?limit=101", &["limit"]),
        ("?limit=-1", &["limit"]),
        ("?limit=", &["limit"]),
        ("?limit=ten", &["limit"]),
        ("?limit=1.0", &["limit"]),
        ("?limit=%00", &["limit"]),
        ("?limit=99999999999999999999", &["limit"]),
        ("?offset=-1", &["offset"]),
        ("?offset=501", &["offset"]),
        ("?algorithm=false&offset=10001", &["offset"]),
        ("?offset=99999999999999999999", &["offset"]),
        ("?limit=0&offset=-1", &["limit", "offset"]),
        ("?limit=0&offset=-1&cursor=x", &["cursor", "limit", "offset"]),
        ("?cursor=", &["cursor"]),
        ("?cursor=x", &["cursor"]),
        ("?cursor=%00", &["cursor"]),
        ("?cursor=AAAA&offset=1", &["cursor"]),
        ("?algorithm=maybe", &["algorithm"]),
        ("?explain=", &["explain"]),
        ("?algorithm=false&explain=maybe&limit=0", &["explain", "limit"]),
        ("?algorithm=2&explain=2&limit=0&offset=-1", &["algorithm", "explain", "limit", "offset"]),
    ] {
        let response = get_feed(&api, query).by(&ana).send().await;
        assert_eq!(invalid_fields(&response), fields, "{query}");
    }
}

#[actix_web::test]
async fn the_errors_name_the_bounds() {
    let (api, [ana]) = Api::with_users().await;

    for (algorithm, offset) in [
        (true, "must be a whole number from 0 to 500; use a cursor for later pages"),
        (false, "must be a whole number from 0 to 10000; use a cursor for later pages"),
    ] {
        let query = format!("?algorithm={algorithm}&limit=0&offset=10001&cursor=x");
        let response = get_feed(&api, &query).by(&ana).send().await;

        let expected = json!({
            "cursor": "must not be combined with an offset",
            "limit": "must be a whole number from 1 to 100",
            "offset": offset,
        });
        assert_eq!(assert_problem(&response, 422, "validation_error")["fields"], expected);
    }
}

#[actix_web::test]
async fn next_links_cover_the_feed_while_new_posts_appear() {
    let (api, [ana]) = Api::with_users().await;
    let mut posts = Vec::new();
    for _ in 0..7 {
        posts.push(a_post().insert_into(api.database()).await.id.to_string());
    }
    posts.reverse();

    let start = format!("{FEED}?algorithm=false&limit=3");
    let first = api.get(&start).by(&ana).send().await.expect(200);
    a_post().insert_into(api.database()).await;
    let rest = fetch_all_pages(&api, &ana, &next_link(&first).unwrap(), ApiResponse::json).await;

    assert_eq!([ids(&first.json()), rest.concat()].concat(), posts);
    assert_eq!(rest.len(), 2);
}

#[actix_web::test]
async fn a_next_link_keeps_the_parameters_except_the_offset() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..3 {
        a_post().insert_into(api.database()).await;
    }

    let path = format!("{FEED}/?offset=1&algorithm=false&limit=1");
    let link = next_link(&api.get(&path).by(&ana).send().await.expect(200)).unwrap();

    let prefix = format!("{FEED}?algorithm=false&limit=1&cursor=");
    assert!(link.starts_with(&prefix), "{link}");
    assert!(!link.contains("offset"), "{link}");
}

#[actix_web::test]
async fn the_cursor_of_another_list_is_rejected() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..2 {
        a_post().by(ana.user.id).insert_into(api.database()).await;
    }
    let own_posts = "/api/v1/users/me/posts?offset=0";
    let cursor = async |path: &str| {
        let response = api.get(&format!("{path}&limit=1")).by(&ana).send().await.expect(200);
        next_link(&response).unwrap().split_once("cursor=").unwrap().1.to_owned()
    };
    let lists =
        ["/api/v1/posts/feed?algorithm=true", "/api/v1/posts/feed?algorithm=false", own_posts];
    for list in lists {
        let cursor = cursor(list).await;
        for other in lists {
            let response = api.get(&format!("{other}&cursor={cursor}")).by(&ana).send().await;
            if other == list {
                response.expect(200);
            } else {
                assert_eq!(invalid_fields(&response), ["cursor"], "cursor of {list} for {other}");
            }
        }
    }
}

#[actix_web::test]
async fn a_modified_cursor_never_causes_an_internal_error() {
    let (api, [ana]) = Api::with_users().await;
    for _ in 0..2 {
        a_post().insert_into(api.database()).await;
    }
    for algorithm in [true, false] {
        let path = format!("?algorithm={algorithm}&limit=1");
        let first = get_feed(&api, &path).by(&ana).send().await.expect(200);
        let cursor = next_link(&first).unwrap().split_once("cursor=").unwrap().1.to_owned();

        for index in 0..cursor.len() {
            for replacement in ["A", "_", "%00", ""] {
                let tampered = format!("{}{replacement}{}", &cursor[..index], &cursor[index + 1..]);
                let response =
                    get_feed(&api, &format!("{path}&cursor={tampered}")).by(&ana).send().await;
                assert!(
                    [200, 422].contains(&response.status.as_u16()),
                    "{tampered} {}",
                    response.status
                );
            }
        }
    }
}

#[actix_web::test]
async fn responses_contain_no_email_of_another_user() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().by(ana.user.id).insert_into(api.database()).await;

    for path in
        [FEED.to_owned(), post_path(post.id), format!("/api/v1/users/{}/posts", ana.user.id)]
    {
        let response = api.get(&path).by(&ben).send().await.expect(200);
        let text = String::from_utf8(response.body.clone()).unwrap();
        assert!(text.contains(ana.user.username.as_str()), "{path}");
        assert!(!text.contains("example.org") && !text.contains("email"), "{path}: {text}");
    }
    let session = api.get("/api/v1/auth/session").by(&ben).send().await.expect(200);
    assert_eq!(envelope_data(&session)["email"], ben.user.email.as_str());
}

fn get_feed<'a>(api: &'a Api, query: &str) -> grateful_testkit::ApiRequest<'a> {
    api.get(&format!("{FEED}{query}"))
}
