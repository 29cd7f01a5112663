//! Queries for many keys at once, compared with one query per key.

use std::collections::{HashMap, HashSet};

use grateful_domain::{PageRequest, PostId, UserId, Viewer};
use grateful_storage::{PostQuery, Repositories};

use crate::dataset::{Dataset, connect, in_statements, limit};

#[tokio::test]
async fn posts_by_several_authors_equal_those_of_each_author() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        for max in [1, 4, 100] {
            let all = in_statements(
                2,
                conn.posts().list_by_each_author(viewer, &user_ids(12), limit(max)),
            )
            .await;
            let mut each = HashMap::new();
            for author in Dataset::users() {
                let page = PageRequest::first(limit(max));
                let query = PostQuery::visible_to(viewer).by_author(author).page(page);
                let posts = conn.posts().list(query).await.unwrap().items;
                if !posts.is_empty() {
                    each.insert(author, posts);
                }
            }
            assert_eq!(all, each, "{max} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn the_public_posts_among_these_are_those_that_the_viewer_can_see() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let ids: Vec<PostId> = dataset.posts.iter().map(|post| post.id).collect();
    for viewer in Dataset::viewers() {
        let found = in_statements(1, conn.posts().find_public(viewer, &ids)).await;
        let visible = dataset.visible_posts(viewer).into_iter();
        let public: HashSet<PostId> =
            visible.filter(|post| post.is_public).map(|post| post.id).collect();
        assert_eq!(found.keys().copied().collect::<HashSet<_>>(), public, "{viewer:?}");
    }
}

#[tokio::test]
async fn the_number_of_statements_does_not_depend_on_the_number_of_keys() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let (viewer, max) = (Viewer::User(UserId::from(5)), limit(20));
    for count in [0, 1, 10, 50] {
        let size = usize::try_from(count).unwrap();
        let posts: Vec<PostId> = dataset.posts.iter().map(|post| post.id).take(size).collect();
        in_statements(2, conn.posts().list_by_each_author(viewer, &user_ids(count), max)).await;
        in_statements(1, conn.posts().find_public(viewer, &posts)).await;
    }
}

/// The ids from 1 to `count`, the first three twice. Only twelve users exist.
fn user_ids(count: i64) -> Vec<UserId> {
    (1..=count).chain(1..=count.min(3)).map(UserId::from).collect()
}
