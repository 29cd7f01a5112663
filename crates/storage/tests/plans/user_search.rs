//! What a search costs among many: the statements are those that the code prepared, not copies.

use std::fmt::Write as _;

use diesel_async::SimpleAsyncConnection;
use grateful_domain::{UserId, UserSearchQuery, Username};
use grateful_storage::{Repositories, Users};
use grateful_testkit::TestDatabase;
use tokio::sync::OnceCell;

use crate::plan::Plan;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Has blocked 50 people, and was blocked by 50.
const VIEWER: i64 = 1;

/// The bound that is written beside the statement.
fn bound(most: i32) -> f64 {
    let candidates = i32::try_from(Users::MAX_CANDIDATES).unwrap();
    f64::from(100 + 2 * candidates + 4 * most)
}

#[tokio::test]
async fn what_thousands_of_names_begin_with_is_found_in_bounded_reads() {
    for typed in ["a", "an", "ann", "anna_", "li", "東", "zo", "1"] {
        check(typed, 10, 10).await;
        check(typed, 50, 50).await;
    }
}

#[tokio::test]
async fn what_thousands_are_called_is_found_in_bounded_reads() {
    for typed in ["Ann Lima", "LI", "東京 太郎", "иван петров"] {
        check(typed, 50, 50).await;
    }
}

#[tokio::test]
async fn what_thousands_have_inside_their_names_is_found_in_bounded_reads() {
    for typed in ["nna", "anne 🙏", "🙏🙏🙏", "0% me", "Петро", "ann l", "_1000"] {
        check(typed, 50, 50).await;
    }
}

#[tokio::test]
async fn what_one_or_nobody_has_in_their_name_is_found_in_bounded_reads() {
    for (typed, found) in [
        ("_123456", 1),
        ("mia_123459", 1),
        ("___", 0),
        ("%%%", 0),
        ("e-a", 0),
        ("🙏_🙏", 0),
        ("qqq", 0),
    ] {
        check(typed, 50, found).await;
    }
}

#[tokio::test]
async fn fifty_names_are_looked_up_by_themselves() {
    let names: Vec<Username> = (1..=50)
        .map(|n| Username::parse(&format!("MIA_{}", 3999 * n / 10 * 10 + 9)).unwrap())
        .collect();
    let mut conn = world().await.connect().await;
    let found = conn.users().find_by_usernames(UserId::from(VIEWER), &names).await.unwrap();
    assert_eq!(found.len(), 50);

    let keys: Vec<String> =
        names.iter().map(|name| format!("'{}'", name.as_str().to_lowercase())).collect();
    let arguments = format!("{VIEWER}, 'blocked', {VIEWER}, 'blocked', ARRAY[{}]", keys.join(", "));
    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, "", &arguments).await;

        assert_eq!(plan.rows_returned().to_string(), "50");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
        // The names, and the blocks of both kinds.
        assert!(plan.rows_read() <= 150.0, "{mode}: {plan:#?}");
    }
}

/// Has a search for this prepared, which finds so many, and looks at how PostgreSQL comes by them: with a plan for these
/// arguments, and with one for any.
async fn check(typed: &str, most: i32, found: usize) {
    let query = UserSearchQuery::parse(typed).unwrap();
    let mut conn = world().await.connect().await;
    let people = conn.users().search(UserId::from(VIEWER), &query, most.into()).await.unwrap();
    assert_eq!(people.len(), found, "{typed}");

    let mut arguments = format!("{VIEWER}, '{}'", query.as_str());
    let candidates = Users::MAX_CANDIDATES;
    write!(arguments, ", {}, {most}, {candidates}", query.is_long_enough_for_substring()).unwrap();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, "", &arguments).await;

        assert_eq!(plan.rows_returned().to_string(), found.to_string(), "{typed}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{typed}, {mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= bound(most), "{typed}, {mode}: {read} rows: {plan:#?}");
    }
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/user_search.sql")).await;
            world
        })
        .await
}
