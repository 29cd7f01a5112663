//! Which posts a list has, in which order, and what a page leaves for the next.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use grateful_domain::{
    Emoji, Limit, Offset, Page, PageRequest, PageStart, Position, Post, PostForViewer, PostId,
    UserId, Viewer,
};
use grateful_storage::query::SingleRange;
use grateful_storage::{Connection, PostQuery, Repositories};
use grateful_testkit::{NOON, TestDatabase, a_post, create_user};

use crate::support::follows::insert_follow;

#[tokio::test]
async fn a_guest_is_shown_public_posts_alone_newest_first() {
    let database = TestDatabase::create().await;
    let older = a_post().insert_into(&database).await;
    a_post().private().insert_into(&database).await;
    let newer = a_post().insert_into(&database).await;

    let listed = list(&database, PostQuery::visible_to(Viewer::Guest)).await;

    assert_eq!(listed, [newer.id, older.id]);
}

#[tokio::test]
async fn a_private_post_is_listed_for_its_author_alone() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let private = a_post().by(ana).private().insert_into(&database).await;
    let public = a_post().by(ana).insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana).by_author(ana)).await, [public.id, private.id]);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, [public.id]);
}

#[tokio::test]
async fn a_list_of_everybodys_posts_has_none_of_ones_own_private_ones() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let public = a_post().by(ana).insert_into(&database).await;
    a_post().by(ana).private().insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana)).await, [public.id]);
    assert_eq!(list(&database, visible_to(ana).by_author(ana).public_only()).await, [public.id]);
}

#[tokio::test]
async fn a_list_by_one_person_has_nobody_elses_posts() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let public = a_post().by(ana).insert_into(&database).await;
    let private = a_post().by(ana).private().insert_into(&database).await;
    a_post().by(ben).insert_into(&database).await;
    a_post().by(ben).private().insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana).by_author(ana)).await, [private.id, public.id]);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, [public.id]);
    let guests = PostQuery::visible_to(Viewer::Guest).by_author(ana);
    assert_eq!(list(&database, guests).await, [public.id]);
}

#[tokio::test]
async fn across_a_block_nothing_is_listed_either_way() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let anas = a_post().by(ana).insert_into(&database).await.id;
    let bens = a_post().by(ben).insert_into(&database).await.id;
    let eves = a_post().by(eve).insert_into(&database).await.id;
    block(&database, ana, ben).await;

    for (viewer, expected) in [
        (Viewer::User(ana), vec![eves, anas]),
        (Viewer::User(ben), vec![eves, bens]),
        (Viewer::User(eve), vec![eves, bens, anas]),
        (Viewer::Guest, vec![eves, bens, anas]),
    ] {
        assert_eq!(list(&database, PostQuery::visible_to(viewer)).await, expected, "{viewer:?}");
    }
    assert_eq!(list(&database, visible_to(ana).by_author(ben)).await, []);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, []);
}

#[tokio::test]
async fn following_and_asking_to_are_no_blocks() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    insert_follow(&database, ana, ben, "active").await;
    insert_follow(&database, eve, ana, "pending").await;
    let bens = a_post().by(ben).insert_into(&database).await;
    let eves = a_post().by(eve).insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana)).await, [eves.id, bens.id]);
}

#[tokio::test]
async fn a_heart_and_a_reaction_are_shown_to_who_left_them_alone() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).insert_into(&database).await;
    let other = a_post().by(ana).insert_into(&database).await;
    for user in [ben, eve] {
        heart(&database, user, &post).await;
    }
    react(&database, ana, &post, "fire").await;
    react(&database, ben, &post, "hug").await;

    for (viewer, hearted, reaction) in [
        (Viewer::Guest, false, None),
        (Viewer::User(ana), false, Some(Emoji::Fire)),
        (Viewer::User(ben), true, Some(Emoji::Hug)),
        (Viewer::User(eve), true, None),
    ] {
        let listed = seen(&database, PostQuery::visible_to(viewer)).await.items;
        let found = database.connect().await.posts().find(viewer, post.id).await.unwrap().unwrap();

        // Each post once, however many have left something on it.
        let [untouched, touched] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!(*touched, found);
        assert_eq!((found.post.id, found.is_hearted, found.reaction), (post.id, hearted, reaction));
        assert_eq!(
            (untouched.post.id, untouched.is_hearted, untouched.reaction),
            (other.id, false, None)
        );
    }
}

#[tokio::test]
async fn posts_of_the_same_moment_are_ordered_by_id() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut ids = Vec::new();
    for id in [3, 1, 4, 2] {
        ids.push(a_post().by(ana).at(NOON).with_id(id).insert_into(&database).await.id);
    }

    let whole = list(&database, visible_to(ana)).await;
    let walked = walk(&database, visible_to(ana), 1).await;

    ids.sort();
    ids.reverse();
    assert_eq!(whole, ids);
    assert_eq!(walked, ids);
}

#[tokio::test]
async fn a_list_has_twenty_posts_unless_told_otherwise() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = posts(&database, ana, 21).await;

    let first = seen(&database, visible_to(ana)).await;

    assert_eq!(ids(&first), posts[..20]);
    assert_eq!(first.next.map(|next| PostId::from(next.id)), Some(posts[19]));
}

#[tokio::test]
async fn a_page_says_that_more_follow_only_where_more_do() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = posts(&database, ana, 5).await;

    for (size, offset, expected, more) in [
        (4, 0, &posts[..4], true),
        (5, 0, &posts[..], false),
        (6, 0, &posts[..], false),
        (2, 2, &posts[2..4], true),
        (2, 3, &posts[3..], false),
        (2, 5, &[], false),
        (2, 10_000, &[], false),
    ] {
        let start = PageStart::Offset(Offset::parse(offset).unwrap());
        let page =
            seen(&database, visible_to(ana).page(PageRequest { limit: limit(size), start })).await;

        assert_eq!(ids(&page), expected, "{size} from {offset}");
        assert_eq!(page.next.is_some(), more, "{size} from {offset}");
    }
}

#[tokio::test]
async fn a_walk_by_cursor_meets_all_whatever_the_size_of_its_pages() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = posts(&database, ana, 10).await;

    for size in 1..=11 {
        assert_eq!(walk(&database, visible_to(ana), size).await, posts, "{size}");
        assert_eq!(
            walk(&database, visible_to(ana).by_author(ana).public_only(), size).await,
            posts,
            "{size}"
        );
    }
}

#[tokio::test]
async fn a_walk_goes_on_where_the_post_of_its_cursor_was() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = posts(&database, ana, 4).await;
    let first = seen(&database, visible_to(ana).page(PageRequest::first(limit(2)))).await;

    delete(&database, posts[1]).await;

    let next = seen(&database, visible_to(ana).page(after(first.next, 2))).await;
    assert_eq!(ids(&next), posts[2..]);
}

/// Between the pages somebody publishes, in front and between the old ones, hides and deletes.
#[tokio::test]
async fn a_walk_among_writers_meets_no_post_twice_and_misses_none_that_stays() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let posts = posts(&database, ana, 30).await;
    let mut gone = BTreeSet::new();
    let mut walked = Vec::new();

    let mut page = seen(&database, visible_to(ben).page(PageRequest::first(limit(3)))).await;
    for turn in 0_u8.. {
        walked.extend(ids(&page));
        let Some(next) = page.next else { break };
        for leaving in [posts[usize::from(turn) * 3 % 30], posts[(usize::from(turn) * 5 + 4) % 30]]
        {
            gone.insert(leaving);
            delete(&database, leaving).await;
        }
        a_post().by(ben).at(NOON + TimeDelta::days(1)).insert_into(&database).await;
        a_post().by(ben).at(next.at).insert_into(&database).await;
        page = seen(&database, visible_to(ben).page(after(Some(next), 3))).await;
    }

    let met: BTreeSet<PostId> = walked.iter().copied().collect();
    assert_eq!(met.len(), walked.len(), "met twice: {walked:?}");
    let stayed: Vec<_> = posts.iter().filter(|post| !gone.contains(post)).collect();
    assert!(!stayed.is_empty() && stayed.len() < 20, "{}", stayed.len());
    for post in stayed {
        assert!(met.contains(post), "missed {post}");
    }
}

/// Has the one block the other.
async fn block(database: &TestDatabase, one: UserId, other: UserId) {
    insert_follow(database, other, one, "blocked").await;
}

fn visible_to(user: UserId) -> PostQuery {
    PostQuery::visible_to(Viewer::User(user))
}

fn limit(entries: i64) -> Limit {
    Limit::parse(entries).unwrap()
}

fn after(place: Option<Position>, size: i64) -> PageRequest {
    PageRequest { limit: limit(size), start: PageStart::After(place.unwrap()) }
}

fn ids(page: &Page<PostForViewer>) -> Vec<PostId> {
    page.items.iter().map(|seen| seen.post.id).collect()
}

async fn seen<W>(database: &TestDatabase, query: PostQuery<W>) -> Page<PostForViewer> {
    database.pool.acquire().await.unwrap().posts().list(query).await.unwrap()
}

async fn list<W>(database: &TestDatabase, query: PostQuery<W>) -> Vec<PostId> {
    ids(&seen(database, query).await)
}

async fn walk<W: SingleRange + Clone>(
    database: &TestDatabase,
    query: PostQuery<W>,
    size: i64,
) -> Vec<PostId> {
    let mut page = seen(database, query.clone().page(PageRequest::first(limit(size)))).await;
    let mut walked = ids(&page);
    while page.next.is_some() {
        page = seen(database, query.clone().page(after(page.next, size))).await;
        assert!(!page.items.is_empty(), "a next page without anything on it");
        walked.extend(ids(&page));
    }
    walked
}

/// So many public posts by this person, in the order of lists.
async fn posts(database: &TestDatabase, author: UserId, number: usize) -> Vec<PostId> {
    let mut posts = Vec::new();
    for _ in 0..number {
        posts.insert(0, a_post().by(author).insert_into(database).await.id);
    }
    posts
}

async fn delete(database: &TestDatabase, post: PostId) {
    let mut conn: Connection = database.connect().await;
    if let Some(post) = conn.posts().lock(post).await.unwrap() {
        conn.posts().delete(&post).await.unwrap();
    }
}

async fn heart(database: &TestDatabase, user: UserId, post: &Post) {
    database
        .execute(&format!(
            "INSERT INTO likes (id, user_id, post_id) VALUES (gen_random_uuid(), {user}, '{}')",
            post.id
        ))
        .await;
}

async fn react(database: &TestDatabase, user: UserId, post: &Post, code: &str) {
    database
        .execute(&format!(
            "INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         VALUES (gen_random_uuid(), {user}, '{}', '{code}')",
            post.id
        ))
        .await;
}
