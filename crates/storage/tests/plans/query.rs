//! Rows read by totals, by the list of users, and by lists of several authors. `repositories.rs` and `follows.rs` cover the
//! lists that are served over HTTP.

use grateful_domain::{Limit, NotificationId, PageRequest, PageStart, Total, UserId, Viewer};
use grateful_storage::{Connection, NotificationQuery, PostQuery, Repositories, UserQuery};
use grateful_test_database::TestDatabase;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::{self, Expected};

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and has blocks with 40 users.
const PROLIFIC: i64 = 1;

/// Reads each item and its author.
#[tokio::test]
async fn a_total_reads_at_most_its_limit() {
    let visible = PostQuery::visible_to(Viewer::User(PROLIFIC.into()));
    check("AS counted", 1, 2_200, async |conn| {
        let found = conn.posts().list(visible.clone().with_total(1_000)).await.unwrap();
        assert_eq!(found.total, Some(Total::MoreThan(1_000)));
    })
    .await;
    // A tenth of the author's posts, spread over the table, cost PostgreSQL as much as all of them: never more.
    check("AS counted", 1, 10_200, async |conn| {
        conn.posts().list(visible.by_author(PROLIFIC.into()).with_total(1_000)).await.unwrap();
    })
    .await;
    check("AS counted", 1, 2_200, async |conn| {
        let users = UserQuery::visible_to(Viewer::User(PROLIFIC.into()));
        conn.users().list(users.with_total(1_000)).await.unwrap();
    })
    .await;
    check("AS counted", 1, 200, async |conn| {
        let unread = NotificationQuery::of(PROLIFIC.into()).unread().with_total(99);
        let found = conn.notifications().list(unread).await.unwrap();
        assert_eq!(found.total, Some(Total::MoreThan(99)));
    })
    .await;
    let batch = NotificationId::from(Uuid::from_u128(0x0196_1000_0000_7000_8000_0000_0000_0001));
    check("AS counted", 1, 2_200, async |conn| {
        let children = NotificationQuery::of(PROLIFIC.into()).children_of(batch);
        let found = conn.notifications().list(children.with_total(1_000)).await.unwrap();
        assert_eq!(found.total, Some(Total::MoreThan(1_000)));
    })
    .await;
}

#[tokio::test]
async fn listing_users_reads_few_rows_on_the_first_and_on_a_deep_page() {
    for start in [PageRequest::first(Limit::DEFAULT).start, PageStart::After(UserId::from(5_000))] {
        check("", 21, 200, async |conn| {
            let users = UserQuery::visible_to(Viewer::User(PROLIFIC.into()));
            let page = PageRequest { limit: Limit::DEFAULT, start };
            assert_eq!(conn.users().list(users.page(page)).await.unwrap().items.len(), 20);
        })
        .await;
    }
}

/// Lists up to two posts per author. One has 10,000 posts; some have no public posts.
#[tokio::test]
async fn listing_posts_of_each_of_fifty_authors_reads_few_rows() {
    let mut authors: Vec<UserId> = (2..=50).map(|n| UserId::from(n * 97)).collect();
    authors.push(PROLIFIC.into());
    let limit = Limit::parse(2).unwrap();
    for viewer in [Viewer::User(PROLIFIC.into()), Viewer::Guest] {
        for sql_part in ["RECURSIVE", "INNER JOIN"] {
            check(sql_part, 84, 84 * 10, async |conn| {
                let posts = conn.posts().list_by_each_author(viewer, &authors, limit).await;
                assert_eq!(posts.unwrap().values().map(Vec::len).sum::<usize>(), 84);
            })
            .await;
        }
    }
}

async fn check(sql_part: &str, rows: u32, max_read: u32, work: impl AsyncFnOnce(&mut Connection)) {
    let mut conn = database().await.connect().await;
    plan::check(&mut conn, Expected { sql_part, rows, max_read }, work).await;
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/large.sql")).await;
            database
        })
        .await
}
