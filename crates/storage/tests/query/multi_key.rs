//! Queries for many keys at once, compared with one query per key.

use std::collections::HashMap;

use grateful_domain::{PostId, UserId, Viewer};
use grateful_storage::{PostQuery, Repositories};
use uuid::Uuid;

use crate::dataset::{Dataset, connect, in_one_statement, limit};

#[tokio::test]
async fn posts_by_several_authors_equal_those_of_each_author() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        for max in [1, 4, 100] {
            let all = in_one_statement(conn.posts().list_by_each_author(
                viewer,
                &user_ids(12),
                limit(max),
            ))
            .await;
            let mut each = HashMap::new();
            for author in Dataset::users() {
                let query = PostQuery::visible_to(viewer).by_author(author).limit(limit(max));
                let posts = conn.posts().list(query).await.unwrap().items;
                if !posts.is_empty() {
                    each.insert(author, posts);
                }
            }
            assert_eq!(all, each, "{max} to {viewer:?}");
        }
    }
}

/// Takes one statement for any number of keys, even for none.
#[tokio::test]
async fn a_query_takes_one_statement_for_any_number_of_keys() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let (viewer, max) = (UserId::from(5), limit(20));
    for count in [0, 1, 10, 50] {
        let user_ids = user_ids(count);
        let size = usize::try_from(count).unwrap();
        let posts: Vec<PostId> = dataset.posts.iter().map(|post| post.id).take(size).collect();
        in_one_statement(conn.posts().list_by_each_author(Viewer::User(viewer), &user_ids, max))
            .await;
        in_one_statement(conn.posts().find_public(Viewer::User(viewer), &posts)).await;
    }
}

#[tokio::test]
async fn unknown_keys_return_nothing() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let (unknown_user, max) = (UserId::from(77), limit(20));

    assert!(
        in_one_statement(conn.posts().list_by_each_author(Viewer::Guest, &[unknown_user], max))
            .await
            .is_empty()
    );
    let posts =
        in_one_statement(conn.posts().find_public(Viewer::Guest, &[PostId::from(Uuid::nil())]))
            .await;
    assert!(posts.is_empty());
}

/// The ids from 1 to `count`, the first three twice. Only twelve users exist.
fn user_ids(count: i64) -> Vec<UserId> {
    (1..=count).chain(1..=count.min(3)).map(UserId::from).collect()
}
