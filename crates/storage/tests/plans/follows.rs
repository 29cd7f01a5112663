//! Rows read by follow lists, profiles and suggestions.

use chrono::DateTime;
use grateful_domain::{Limit, PageRequest, PageStart, Position, UserId, Viewer};
use grateful_storage::query::FollowLists;
use grateful_storage::{Connection, FollowQuery, Repositories};
use grateful_test_database::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::{self, Expected};

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has 30,000 followers and follows a third of them back; has 50 follow requests and has blocked 50 users.
const POPULAR: i64 = 1;

/// Follows ten users and user 1, and has as many followers.
const ORDINARY: i64 = 7_777;

const FIRST_PAGE: PageRequest = PageRequest::first(Limit::MAX);

#[tokio::test]
async fn listing_the_newest_followers_of_a_popular_user_reads_few_rows() {
    check(101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_a_deep_page_of_followers_of_a_popular_user_reads_few_rows() {
    let at = DateTime::from_timestamp(1_735_689_600 + 15_000, 0).unwrap();
    let position = Position { at, id: Uuid::nil() };
    let page = PageRequest { limit: Limit::MAX, start: PageStart::After(position) };

    // Parallel workers may share this scan, and how far they read ahead of each other varies.
    check_rows_read(101, 40 * 101, async |conn| {
        let query = seen_by(ORDINARY).followers_of(POPULAR.into());
        conn.follows().list(query.page(page)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_the_newest_of_thousands_of_followed_users_reads_few_rows() {
    check(101, async |conn| {
        let query = seen_by(ORDINARY).followed_by(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_own_followers_with_blocks_reads_few_rows() {
    check(101, async |conn| {
        let query = seen_by(POPULAR).followers_of(POPULAR.into());
        conn.follows().list(query.page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_follow_requests_to_a_popular_user_reads_few_rows() {
    check(50, async |conn| {
        conn.follows().list(seen_by(POPULAR).received_requests().page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_blocked_users_reads_few_rows() {
    check(50, async |conn| {
        conn.follows().list(seen_by(POPULAR).blocks().page(FIRST_PAGE)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_relationships_with_a_hundred_users_reads_few_rows() {
    let users: Vec<i64> = (1..=100).map(|n| n * 97).collect();
    let ids: Vec<UserId> = users.iter().copied().map(UserId::from).collect();

    check(100, async |conn| {
        let relationships = conn.follows().find_relationships(UserId::from(ORDINARY), &ids).await;
        assert_eq!(relationships.unwrap().len(), 100);
    })
    .await;
}

#[tokio::test]
async fn counting_follows_of_a_popular_user_reads_few_rows() {
    // Pending requests are counted row by row.
    check_rows_read(1, 200, async |conn| {
        let counts = conn.follows().count(UserId::from(POPULAR)).await.unwrap().unwrap();
        assert_eq!((counts.requests_received, counts.requests_sent), (50, 0));
    })
    .await;
}

#[tokio::test]
async fn suggestions_with_few_follows_read_few_rows() {
    // Ten users follow ten each, and one follows ten thousand: PostgreSQL, which expects ten of each, sorts them.
    check_rows_read(20, 12_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(ORDINARY), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn suggestions_with_thousands_of_follows_read_a_bounded_number_of_rows() {
    // At most 200 times 200 follows, and the follows that lead to them.
    check_rows_read(20, 80_000, async |conn| {
        let found = conn.follows().list_suggestions(UserId::from(POPULAR), 20).await.unwrap();
        assert_eq!(found.len(), 20);
    })
    .await;
}

/// A profile costs the same for every viewer and any number of followers, since its counters are stored with the user. The
/// viewer's blocks are read by an index, and there may be some.
#[tokio::test]
async fn finding_the_profile_of_a_popular_user_reads_few_rows() {
    check_rows_read(1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile(viewer, UserId::from(POPULAR)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_a_profile_by_username_reads_few_rows() {
    check_rows_read(1, 3, async |conn| {
        let viewer = Viewer::User(UserId::from(ORDINARY));
        conn.users().find_profile_by_username(viewer, "Person_1").await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_a_profile_for_a_viewer_with_many_blocks_reads_their_blocks_once() {
    // Reads the fifty blocks of the viewer.
    check_rows_read(1, 110, async |conn| {
        let viewer = Viewer::User(UserId::from(POPULAR));
        conn.users().find_profile(viewer, UserId::from(ORDINARY)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn finding_the_own_profile_of_a_popular_user_reads_one_row() {
    check_rows_read(1, 1, async |conn| {
        conn.users().find_own_profile(UserId::from(POPULAR)).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_requesters_of_a_popular_user_reads_few_rows() {
    check(50, async |conn| {
        let requesters = conn.follows().list_requesters(UserId::from(POPULAR), 200).await.unwrap();
        assert_eq!(requesters.len(), 50);
    })
    .await;
}

#[tokio::test]
async fn listing_sent_follow_requests_reads_few_rows() {
    check(1, async |conn| {
        let requests =
            conn.follows().list(seen_by(16_334).sent_requests().page(FIRST_PAGE)).await.unwrap();
        assert_eq!(requests.items[0].user.author.id, UserId::from(POPULAR));
    })
    .await;
}

#[tokio::test]
async fn listing_users_with_stale_requests_reads_few_rows() {
    // Reads the requested user once per request.
    check_rows_read(1, 150, async |conn| {
        let found = conn.follows().list_users_with_stale_requests(200).await.unwrap();
        assert_eq!(found, [UserId::from(POPULAR)]);
    })
    .await;
}

fn seen_by(viewer: i64) -> FollowLists {
    FollowQuery::visible_to(viewer.into())
}

async fn check(rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_rows_read(rows, 20 * rows, work).await;
}

async fn check_rows_read(rows: u32, max_read: u32, work: impl AsyncFnOnce(&mut Connection)) {
    let mut conn = database().await.connect().await;
    plan::check(&mut conn, Expected { sql_part: "", rows, max_read }, work).await;
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/follows.sql")).await;
            database
        })
        .await
}
