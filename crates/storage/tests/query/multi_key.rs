//! Queries for many keys at once, compared with one query per key.

use std::collections::HashMap;

use grateful_domain::{
    Author, CommentForViewer, Engagement, HiddenComments, ListedComment, PostId, UserId, Viewer,
};
use grateful_storage::{FollowQuery, PostQuery, Repositories};
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

#[tokio::test]
async fn follow_lists_of_several_users_equal_those_of_each_user() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::users() {
        for max in [1, 3, 100] {
            let followers = in_one_statement(conn.follows().list_followers_of_each(
                viewer,
                &user_ids(12),
                limit(max),
            ))
            .await;
            let followed = in_one_statement(conn.follows().list_followed_by_each(
                viewer,
                &user_ids(12),
                limit(max),
            ))
            .await;
            let [mut followers_of_each, mut followed_by_each] = [HashMap::new(), HashMap::new()];
            for user in Dataset::users() {
                let lists = FollowQuery::visible_to(viewer);
                for (query, each) in [
                    (lists.followers_of(user), &mut followers_of_each),
                    (lists.followed_by(user), &mut followed_by_each),
                ] {
                    let list = conn.follows().list(query.limit(limit(max))).await.unwrap().items;
                    if !list.is_empty() {
                        each.insert(user, list);
                    }
                }
            }
            assert_eq!(followers, followers_of_each, "{max} to {viewer:?}");
            assert_eq!(followed, followed_by_each, "{max} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn comments_on_several_posts_equal_those_on_each_visible_post() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let posts: Vec<PostId> = dataset.posts.iter().map(|post| post.id).collect();
    for viewer in Dataset::users() {
        for max in [1, 3, 100] {
            let all =
                in_one_statement(conn.comments().list_on_each_post(viewer, &posts, limit(max)))
                    .await;
            let mut each = HashMap::new();
            for post in dataset.visible_posts(Viewer::User(viewer)) {
                let page = grateful_domain::PageRequest::first(limit(max));
                let hidden = HiddenComments::LeftOut;
                let listed = conn.comments().list(viewer, post.id, hidden, page).await;
                let comments: Vec<_> = listed.unwrap().items.into_iter().map(visible).collect();
                if !comments.is_empty() {
                    each.insert(post.id, comments);
                }
            }
            assert_eq!(all, each, "{max} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn authors_of_several_posts_equal_those_of_each_visible_post() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let posts: Vec<PostId> = dataset.posts.iter().map(|post| post.id).collect();
    for viewer in Dataset::viewers() {
        let authors = in_one_statement(conn.posts().find_authors(viewer, &posts)).await;
        let mut each: HashMap<PostId, Author> = HashMap::new();
        for post in dataset.visible_posts(viewer) {
            each.insert(post.id, conn.users().find_author(post.author).await.unwrap().unwrap());
        }
        assert_eq!(authors, each, "{viewer:?}");
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
        in_one_statement(conn.posts().find_authors(Viewer::User(viewer), &posts)).await;
        in_one_statement(conn.posts().find_public(Viewer::User(viewer), &posts)).await;
        let engagement = in_one_statement(conn.posts().find_engagement(&posts)).await;
        assert_eq!(engagement.len(), size);
        in_one_statement(conn.follows().list_followers_of_each(viewer, &user_ids, max)).await;
        in_one_statement(conn.follows().list_followed_by_each(viewer, &user_ids, max)).await;
        in_one_statement(conn.comments().list_on_each_post(viewer, &posts, max)).await;
    }
}

#[tokio::test]
async fn unknown_keys_return_nothing() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let (unknown_user, max) = (UserId::from(77), limit(20));
    let unknown_post = PostId::from(Uuid::nil());

    assert!(
        in_one_statement(conn.posts().list_by_each_author(Viewer::Guest, &[unknown_user], max))
            .await
            .is_empty()
    );
    assert!(
        in_one_statement(conn.posts().find_authors(Viewer::Guest, &[unknown_post]))
            .await
            .is_empty()
    );
    assert_eq!(
        in_one_statement(conn.posts().find_engagement(&[unknown_post])).await,
        HashMap::<_, Engagement>::new()
    );
    let viewer = UserId::from(5);
    assert!(
        in_one_statement(conn.follows().list_followers_of_each(viewer, &[unknown_user], max))
            .await
            .is_empty()
    );
    assert!(
        in_one_statement(conn.comments().list_on_each_post(viewer, &[unknown_post], max))
            .await
            .is_empty()
    );
}

/// The ids from 1 to `count`, the first three twice. Only twelve users exist.
fn user_ids(count: i64) -> Vec<UserId> {
    (1..=count).chain(1..=count.min(3)).map(UserId::from).collect()
}

fn visible(comment: ListedComment) -> CommentForViewer {
    match comment {
        ListedComment::Visible(comment) => comment,
        ListedComment::Hidden(comment) => panic!("{comment:?}"),
    }
}
