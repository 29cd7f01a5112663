//! Rows read by user search and by lookups of usernames.

use grateful_domain::{UserId, UserSearchQuery, Username};
use grateful_storage::{Repositories, Users};
use grateful_test_database::TestDatabase;
use tokio::sync::OnceCell;

use crate::plan::{self, Expected};

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has blocked 50 users, and was blocked by 50.
const VIEWER: i64 = 1;

/// The documented bound of the search statement.
fn bound(max: u32) -> u32 {
    let candidates = u32::try_from(Users::MAX_CANDIDATES).unwrap();
    100 + 2 * candidates + 4 * max
}

#[tokio::test]
async fn a_prefix_of_thousands_of_names_is_found_with_bounded_reads() {
    for term in ["a", "an", "ann", "anna_", "li", "東", "zo", "1"] {
        check(term, 10, 10).await;
        check(term, 50, 50).await;
    }
}

#[tokio::test]
async fn a_full_name_of_thousands_is_found_with_bounded_reads() {
    for term in ["Ann Lima", "LI", "東京 太郎", "иван петров", "ＺＯＥ"] {
        check(term, 50, 50).await;
    }
}

#[tokio::test]
async fn a_substring_of_thousands_of_names_is_found_with_bounded_reads() {
    for term in ["nna", "anne 🙏", "🙏🙏🙏", "0% me", "Петро", "ann l", "_1000", "ＮＮÄ"]
    {
        check(term, 50, 50).await;
    }
}

#[tokio::test]
async fn a_term_with_one_match_or_none_is_found_with_bounded_reads() {
    for (term, found) in [
        ("_123456", 1),
        ("mia_123459", 1),
        ("___", 0),
        ("%%%", 0),
        ("e-a", 0),
        ("🙏_🙏", 0),
        ("qqq", 0),
    ] {
        check(term, 50, found).await;
    }
}

#[tokio::test]
async fn looking_up_fifty_usernames_reads_only_those_and_the_blocks() {
    let names: Vec<Username> = (1..=50)
        .map(|n| Username::parse(&format!("MIA_{}", 3999 * n / 10 * 10 + 9)).unwrap())
        .collect();
    // The names, the users, and the blocks in both directions.
    let expected = Expected { sql_part: "", rows: 50, max_read: 200 };
    plan::check(&mut database().await.connect().await, expected, async |conn| {
        let found = conn.users().find_by_usernames(UserId::from(VIEWER), &names).await.unwrap();
        assert_eq!(found.len(), 50);
    })
    .await;
}

/// Searches for this term, which finds `found` users, and checks that the plans read a bounded number of rows: the plan for
/// these arguments and the generic plan.
async fn check(term: &str, max: u32, found: usize) {
    let query = UserSearchQuery::parse(term).unwrap();
    let rows = u32::try_from(found).unwrap();
    let expected = Expected { sql_part: "", rows, max_read: bound(max) };
    plan::check(&mut database().await.connect().await, expected, async |conn| {
        let users = conn.users().search(UserId::from(VIEWER), &query, max.into()).await.unwrap();
        assert_eq!(users.len(), found, "{term}");
    })
    .await;
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/user_search.sql")).await;
            database
        })
        .await
}
