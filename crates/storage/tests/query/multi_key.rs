use std::collections::HashMap;

use grateful_domain::{Author, Engagement, PostId, UserId, Viewer};
use grateful_storage::{FollowQuery, PostQuery, Repositories};
use uuid::Uuid;

use crate::dataset::{World, connect, in_one, limit};

#[tokio::test]
async fn the_posts_of_many_are_those_of_each() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::viewers() {
        for most in [1, 4, 100] {
            let sets =
                in_one(conn.posts().list_by_each_author(viewer, &people(12), limit(most))).await;
            let mut each = HashMap::new();
            for author in World::people() {
                let query = PostQuery::visible_to(viewer).by_author(author).limit(limit(most));
                let theirs = conn.posts().list(query).await.unwrap().items;
                if !theirs.is_empty() {
                    each.insert(author, theirs);
                }
            }
            assert_eq!(sets, each, "{most} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn the_followers_of_many_and_whom_many_follow_are_those_of_each() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::people() {
        for most in [1, 3, 100] {
            let followers =
                in_one(conn.follows().list_followers_of_each(viewer, &people(12), limit(most)))
                    .await;
            let followed =
                in_one(conn.follows().list_followed_by_each(viewer, &people(12), limit(most)))
                    .await;
            let [mut followers_of_each, mut followed_by_each] = [HashMap::new(), HashMap::new()];
            for person in World::people() {
                let seen = FollowQuery::visible_to(viewer);
                for (query, each) in [
                    (seen.followers_of(person), &mut followers_of_each),
                    (seen.followed_by(person), &mut followed_by_each),
                ] {
                    let list = conn.follows().list(query.limit(limit(most))).await.unwrap().items;
                    if !list.is_empty() {
                        each.insert(person, list);
                    }
                }
            }
            assert_eq!(followers, followers_of_each, "{most} to {viewer:?}");
            assert_eq!(followed, followed_by_each, "{most} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn what_was_said_about_many_posts_is_what_was_said_about_each_that_one_may_see() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let posts: Vec<PostId> = world.posts.iter().map(|post| post.id).collect();
    for viewer in World::people() {
        for most in [1, 3, 100] {
            let sets = in_one(conn.comments().list_on_each_post(viewer, &posts, limit(most))).await;
            let mut each = HashMap::new();
            for post in world.seen_by(Viewer::User(viewer)) {
                let page = grateful_domain::PageRequest::first(limit(most));
                let said = conn.comments().list(viewer, post.id, page).await.unwrap().items;
                if !said.is_empty() {
                    each.insert(post.id, said);
                }
            }
            assert_eq!(sets, each, "{most} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn the_authors_of_many_posts_are_those_of_each_that_one_may_see() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let posts: Vec<PostId> = world.posts.iter().map(|post| post.id).collect();
    for viewer in World::viewers() {
        let authors = in_one(conn.posts().find_authors(viewer, &posts)).await;
        let mut each: HashMap<PostId, Author> = HashMap::new();
        for post in world.seen_by(viewer) {
            each.insert(post.id, conn.users().find_author(post.author).await.unwrap().unwrap());
        }
        assert_eq!(authors, each, "{viewer:?}");
    }
}

/// One statement, whether one or fifty are asked for, or nobody.
#[tokio::test]
async fn a_relation_costs_one_statement_whatever_the_number() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let (viewer, most) = (UserId::from(5), limit(20));
    for number in [0, 1, 10, 50] {
        let people = people(number);
        let size = usize::try_from(number).unwrap();
        let posts: Vec<PostId> = world.posts.iter().map(|post| post.id).take(size).collect();
        in_one(conn.posts().list_by_each_author(Viewer::User(viewer), &people, most)).await;
        in_one(conn.posts().find_authors(Viewer::User(viewer), &posts)).await;
        in_one(conn.posts().find_public(Viewer::User(viewer), &posts)).await;
        let engagement = in_one(conn.posts().find_engagement(&posts)).await;
        assert_eq!(engagement.len(), size);
        in_one(conn.follows().list_followers_of_each(viewer, &people, most)).await;
        in_one(conn.follows().list_followed_by_each(viewer, &people, most)).await;
        in_one(conn.comments().list_on_each_post(viewer, &posts, most)).await;
    }
}

#[tokio::test]
async fn of_whom_and_what_there_is_not_nothing_is_read() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let (nobody, most) = (UserId::from(77), limit(20));
    let nothing = PostId::from(Uuid::nil());

    assert!(
        in_one(conn.posts().list_by_each_author(Viewer::Guest, &[nobody], most)).await.is_empty()
    );
    assert!(in_one(conn.posts().find_authors(Viewer::Guest, &[nothing])).await.is_empty());
    assert_eq!(
        in_one(conn.posts().find_engagement(&[nothing])).await,
        HashMap::<_, Engagement>::new()
    );
    let five = UserId::from(5);
    assert!(in_one(conn.follows().list_followers_of_each(five, &[nobody], most)).await.is_empty());
    assert!(in_one(conn.comments().list_on_each_post(five, &[nothing], most)).await.is_empty());
}

/// So many ids; there are twelve people, and they are named twice.
fn people(number: i64) -> Vec<UserId> {
    (1..=number).chain(1..=number.min(3)).map(UserId::from).collect()
}
