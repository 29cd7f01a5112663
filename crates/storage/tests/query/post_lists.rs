//! Lists of posts by example: visibility, blocks, order and paging.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chrono::TimeDelta;
use grateful_domain::{
    Emoji, Limit, Offset, Page, PageRequest, PageStart, Position, Post, PostForViewer, PostId,
    Total, UserId, Viewer,
};
use grateful_storage::{Connection, PostQuery, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_post, create_user};

use crate::dataset::{Dataset, PostRow};
use crate::support::follows::insert_follow;

#[tokio::test]
async fn every_viewer_is_listed_exactly_the_visible_posts_newest_first() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        let mut visible = dataset.visible_posts(viewer);
        visible.sort_unstable_by_key(|post| Reverse((post.at, post.id)));
        let ids_of = |filter: &dyn Fn(&PostRow) -> bool| {
            visible.iter().filter(|post| filter(post)).map(|post| post.id).collect::<Vec<_>>()
        };
        let all = PostQuery::visible_to(viewer);
        let listed = collect_all(&dataset.database, all.clone(), 7).await;
        assert_eq!(listed, ids_of(&|post| post.is_public), "{viewer:?}");
        for author in Dataset::users() {
            let listed = collect_all(&dataset.database, all.clone().by_author(author), 7).await;
            assert_eq!(listed, ids_of(&|post| post.author == author), "{author} to {viewer:?}");
        }
    }
}

#[tokio::test]
async fn guests_see_only_public_posts_newest_first() {
    let database = TestDatabase::create().await;
    let older = a_post().insert_into(&database).await;
    a_post().private().insert_into(&database).await;
    let newer = a_post().insert_into(&database).await;

    let listed = list(&database, PostQuery::visible_to(Viewer::Guest)).await;

    assert_eq!(listed, [newer.id, older.id]);
}

#[tokio::test]
async fn a_private_post_is_listed_only_for_its_author() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let private = a_post().by(ana).private().insert_into(&database).await;
    let public = a_post().by(ana).insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana).by_author(ana)).await, [public.id, private.id]);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, [public.id]);
}

#[tokio::test]
async fn the_list_of_all_posts_excludes_own_private_posts() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let public = a_post().by(ana).insert_into(&database).await;
    a_post().by(ana).private().insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana)).await, [public.id]);
}

#[tokio::test]
async fn a_list_by_author_contains_only_their_posts() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let public = a_post().by(ana).insert_into(&database).await;
    let private = a_post().by(ana).private().insert_into(&database).await;
    a_post().by(ben).insert_into(&database).await;
    a_post().by(ben).private().insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana).by_author(ana)).await, [private.id, public.id]);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, [public.id]);
    let for_guest = PostQuery::visible_to(Viewer::Guest).by_author(ana);
    assert_eq!(list(&database, for_guest).await, [public.id]);
}

#[tokio::test]
async fn posts_across_a_block_are_not_listed_in_either_direction() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let by_ana = a_post().by(ana).insert_into(&database).await.id;
    let by_ben = a_post().by(ben).insert_into(&database).await.id;
    let by_eve = a_post().by(eve).insert_into(&database).await.id;
    block(&database, ana, ben).await;

    for (viewer, expected) in [
        (Viewer::User(ana), vec![by_eve, by_ana]),
        (Viewer::User(ben), vec![by_eve, by_ben]),
        (Viewer::User(eve), vec![by_eve, by_ben, by_ana]),
        (Viewer::Guest, vec![by_eve, by_ben, by_ana]),
    ] {
        assert_eq!(list(&database, PostQuery::visible_to(viewer)).await, expected, "{viewer:?}");
    }
    assert_eq!(list(&database, visible_to(ana).by_author(ben)).await, []);
    assert_eq!(list(&database, visible_to(ben).by_author(ana)).await, []);
}

#[tokio::test]
async fn active_and_pending_follows_hide_no_posts() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    insert_follow(&database, ana, ben, "active").await;
    insert_follow(&database, eve, ana, "pending").await;
    let by_ben = a_post().by(ben).insert_into(&database).await;
    let by_eve = a_post().by(eve).insert_into(&database).await;

    assert_eq!(list(&database, visible_to(ana)).await, [by_eve.id, by_ben.id]);
}

#[tokio::test]
async fn a_heart_and_a_reaction_are_shown_only_to_their_user() {
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
        let listed = load_page(&database, PostQuery::visible_to(viewer)).await.items;
        let found = database.connect().await.posts().find(viewer, post.id).await.unwrap().unwrap();

        // Each post is listed once, regardless of its number of hearts and reactions.
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
async fn posts_of_the_same_time_are_ordered_by_id() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut ids = Vec::new();
    for id in [3, 1, 4, 2] {
        ids.push(a_post().by(ana).at(NOON).with_id(id).insert_into(&database).await.id);
    }

    let all = list(&database, visible_to(ana)).await;
    let found = collect_all(&database, visible_to(ana), 1).await;

    ids.sort();
    ids.reverse();
    assert_eq!(all, ids);
    assert_eq!(found, ids);
}

#[tokio::test]
async fn a_page_has_twenty_posts_by_default() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = create_posts(&database, ana, 21).await;

    let first = load_page(&database, visible_to(ana)).await;

    assert_eq!(ids(&first), posts[..20]);
    assert_eq!(first.next.map(|next| PostId::from(next.id)), Some(posts[19]));
}

#[tokio::test]
async fn a_page_has_a_next_cursor_only_if_more_posts_follow() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = create_posts(&database, ana, 5).await;

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
            load_page(&database, visible_to(ana).page(PageRequest { limit: limit(size), start }))
                .await;

        assert_eq!(ids(&page), expected, "{size} from {offset}");
        assert_eq!(page.next.is_some(), more, "{size} from {offset}");
    }
}

#[tokio::test]
async fn paging_by_cursor_returns_all_posts_for_any_page_size() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = create_posts(&database, ana, 10).await;

    for size in 1..=11 {
        assert_eq!(collect_all(&database, visible_to(ana), size).await, posts, "{size}");
        assert_eq!(
            collect_all(&database, visible_to(ana).by_author(ana), size).await,
            posts,
            "{size}"
        );
    }
}

#[tokio::test]
async fn a_list_can_end_before_a_time_and_be_counted_up_to_a_maximum() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut posts = Vec::new();
    for hour in 0..4 {
        let post = a_post().by(ana).at(NOON + TimeDelta::hours(hour));
        posts.insert(0, post.insert_into(&database).await.id);
    }
    let before_the_last = visible_to(ana).until(NOON + TimeDelta::hours(3));

    for (max, total) in [(3, Total::Exactly(3)), (2, Total::MoreThan(2))] {
        let page = load_page(&database, before_the_last.clone().with_total(max)).await;

        assert_eq!((ids(&page), page.total), (posts[1..].to_vec(), Some(total)));
    }
}

#[tokio::test]
async fn paging_continues_after_the_post_of_its_cursor_was_deleted() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let posts = create_posts(&database, ana, 4).await;
    let first = load_page(&database, visible_to(ana).page(PageRequest::first(limit(2)))).await;

    delete(&database, posts[1]).await;

    let second = load_page(&database, visible_to(ana).page(after(first.next, 2))).await;
    assert_eq!(ids(&second), posts[2..]);
}

/// Between the pages, posts are added before and between the listed ones, hidden and deleted.
#[tokio::test]
async fn paging_during_writes_repeats_no_post_and_omits_none_that_stays() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let posts = create_posts(&database, ana, 30).await;
    let mut deleted = BTreeSet::new();
    let mut found = Vec::new();

    let mut page = load_page(&database, visible_to(ben).page(PageRequest::first(limit(3)))).await;
    for round in 0_u8.. {
        found.extend(ids(&page));
        let Some(next) = page.next else { break };
        for post in [posts[usize::from(round) * 3 % 30], posts[(usize::from(round) * 5 + 4) % 30]] {
            deleted.insert(post);
            delete(&database, post).await;
        }
        a_post().by(ben).at(NOON + TimeDelta::days(1)).insert_into(&database).await;
        a_post().by(ben).at(next.at).insert_into(&database).await;
        page = load_page(&database, visible_to(ben).page(after(Some(next), 3))).await;
    }

    let distinct: BTreeSet<PostId> = found.iter().copied().collect();
    assert_eq!(distinct.len(), found.len(), "repeated: {found:?}");
    let kept: Vec<_> = posts.iter().filter(|post| !deleted.contains(post)).collect();
    assert!(!kept.is_empty() && kept.len() < 20, "{}", kept.len());
    for post in kept {
        assert!(distinct.contains(post), "missed {post}");
    }
}

/// Lets `blocker` block `blocked`.
async fn block(database: &TestDatabase, blocker: UserId, blocked: UserId) {
    insert_follow(database, blocked, blocker, "blocked").await;
}

fn visible_to(user: UserId) -> PostQuery {
    PostQuery::visible_to(Viewer::User(user))
}

fn limit(items: i64) -> Limit {
    Limit::parse(items).unwrap()
}

fn after(position: Option<Position>, size: i64) -> PageRequest {
    PageRequest { limit: limit(size), start: PageStart::After(position.unwrap()) }
}

fn ids(page: &Page<PostForViewer>) -> Vec<PostId> {
    page.items.iter().map(|listed| listed.post.id).collect()
}

async fn load_page(database: &TestDatabase, query: PostQuery) -> Page<PostForViewer> {
    database.pool.acquire().await.unwrap().posts().list(query).await.unwrap()
}

async fn list(database: &TestDatabase, query: PostQuery) -> Vec<PostId> {
    ids(&load_page(database, query).await)
}

async fn collect_all(database: &TestDatabase, query: PostQuery, size: i64) -> Vec<PostId> {
    let mut page = load_page(database, query.clone().page(PageRequest::first(limit(size)))).await;
    let mut found = ids(&page);
    while page.next.is_some() {
        page = load_page(database, query.clone().page(after(page.next, size))).await;
        assert!(!page.items.is_empty(), "the next page is empty");
        found.extend(ids(&page));
    }
    found
}

/// Creates this many public posts, and returns them in list order.
async fn create_posts(database: &TestDatabase, author: UserId, count: usize) -> Vec<PostId> {
    let mut posts = Vec::new();
    for _ in 0..count {
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
