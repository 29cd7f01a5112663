//! What reading costs in a large database: the statements are those that the code prepared, not copies.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support {
    pub(crate) mod plan;
    pub(crate) mod sql;
}

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::{Limit, Page, Position, PostId, Start, UserId, Viewer};
use grateful_storage::{Connection, PostQuery, Repositories, TokenHash};
use grateful_testkit::{NOON, TestDatabase};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::support::plan::Plan;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and stands in a block with 40 people.
const PROLIFIC: i64 = 1;

/// Gave a heart to many more posts than most people, none of them new.
const GENEROUS: i64 = 149;

/// What the lists bind for somebody who is signed in, up to their own conditions.
const LEFT_BY_PROLIFIC: &str = "1, 1, 1, 1";
const BLOCKS_OF_PROLIFIC: &str = "1, 'blocked', 1, 'blocked'";

#[tokio::test]
async fn the_newest_posts_for_a_guest() {
    let query = PostQuery::visible_to(Viewer::Guest).public();

    check("NULL, 1, NULL, 1, 21", 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_newest_posts_for_somebody_with_blocks() {
    let query = signed_in(PROLIFIC).public();
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_newest_posts_for_somebody_who_left_hearts_all_over_the_place() {
    let query = signed_in(GENEROUS).public();

    let arguments = "149, 1, 149, 1, 149, 'blocked', 149, 'blocked', 21";
    check(arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_of_a_hundred_of_the_newest_posts() {
    let query = signed_in(PROLIFIC).public().page(Page::first(Limit::MAX));
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, 101");

    check(&arguments, 101, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_deep_down_the_newest_posts() {
    let (place, sql) = halfway();
    let query = signed_in(PROLIFIC).public().page(after(place));
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, {sql}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn ones_own_posts() {
    let query = signed_in(PROLIFIC).by(UserId::from(PROLIFIC));
    let arguments = format!("{LEFT_BY_PROLIFIC}, 1, {BLOCKS_OF_PROLIFIC}, 1, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn somebody_elses_posts() {
    let query = signed_in(GENEROUS).by(UserId::from(PROLIFIC));

    let arguments = "149, 1, 149, 1, 149, 149, 'blocked', 149, 'blocked', 1, 21";
    check(arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_deep_down_somebodys_posts() {
    let (place, sql) = halfway();
    let query = signed_in(PROLIFIC).by(UserId::from(PROLIFIC)).page(after(place));
    let arguments = format!("{LEFT_BY_PROLIFIC}, 1, {BLOCKS_OF_PROLIFIC}, 1, {sql}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_posts_of_somebody_who_wrote_few() {
    let query = PostQuery::visible_to(Viewer::Guest).by(UserId::from(7_920));

    check("NULL, 1, NULL, 1, 7920, 21", 20, async |conn| list(conn, query).await).await;
}

/// Everybody gave it a heart.
#[tokio::test]
async fn the_most_liked_post() {
    let post = PostId::from(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0003_0d3f));

    let arguments = format!("149, 1, 149, 1, 149, 149, 'blocked', 149, 'blocked', '{post}', 1");
    check(&arguments, 1, async |conn| {
        let viewer = Viewer::User(UserId::from(GENEROUS));
        assert!(conn.posts().find(viewer, post).await.unwrap().unwrap().hearted);
    })
    .await;
}

#[tokio::test]
async fn the_session_of_a_token() {
    // As `large.sql` makes it.
    let token = TokenHash([7; 32]);

    let arguments = format!("'\\x{}', '2026-01-05', 1", "07".repeat(32));
    check(&arguments, 1, async |conn| {
        assert!(conn.sessions().find_live(token, NOON).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn the_sessions_of_somebody() {
    check("77, '2026-01-05', 100", 3, async |conn| {
        assert_eq!(conn.sessions().list_live(UserId::from(77), NOON).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn who_signs_in_with_an_address() {
    check("'person_77@example.org', 1", 1, async |conn| {
        assert!(conn.users().find_credentials("Person_77@example.org").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn who_has_a_username() {
    check("'person_77', 1", 1, async |conn| {
        assert!(conn.users().find_by_username("person_77").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn whether_somebody_exists_for_somebody() {
    check("77, 149, 'blocked', 149, 'blocked'", 1, async |conn| {
        let viewer = Viewer::User(UserId::from(GENEROUS));
        assert!(conn.users().exists_for(viewer, UserId::from(77)).await.unwrap());
    })
    .await;
}

/// The rule can fail: nobody has indexed the words of posts.
#[tokio::test]
async fn a_search_through_all_words_would_be_found_out() {
    let mut conn = world().await.connect().await;
    conn.batch_execute("PREPARE search AS SELECT id FROM posts WHERE content LIKE $1")
        .await
        .unwrap();

    let plan = Plan::of_the_prepared(&mut conn, "'%number 7'").await;

    assert_eq!(plan.tables_read_whole(), ["posts"]);
    assert!(20.0 * plan.rows_returned() < plan.rows_read(), "{plan:#?}");
}

/// Has `work` prepare a statement, and looks at how PostgreSQL comes by its rows, so many of them: with a plan for
/// these arguments, and with one for any.
async fn check(arguments: &str, rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    let mut conn = world().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, arguments).await;

        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= f64::from(20 * rows), "{mode}: {read} rows for {rows}: {plan:#?}");
    }
}

async fn list(conn: &mut Connection, query: PostQuery) {
    conn.posts().list(query).await.unwrap();
}

fn signed_in(user: i64) -> PostQuery {
    PostQuery::visible_to(Viewer::User(UserId::from(user)))
}

fn after(place: Position) -> Page {
    Page { limit: Limit::DEFAULT, start: Start::After(place) }
}

/// The place of the 100,000th post, and the same in SQL.
fn halfway() -> (Position, String) {
    let at = DateTime::from_timestamp(1_735_689_600 + 60 * 100_000, 0).unwrap();
    let id = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + 100_000);
    (Position { at, id }, format!("'{}', '{id}'", at.to_rfc3339()))
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("support/large.sql")).await;
            world
        })
        .await
}
