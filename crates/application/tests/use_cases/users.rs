//! Finding users by name.

use grateful_application::users;
use grateful_domain::{UserSearchQuery, UsernameBatch, UsernameValidation};
use grateful_testkit::{TestApp, TestDatabase, a_user, assert_queries, block, create_user};

use crate::support::assert_not_found;

#[tokio::test]
async fn a_search_needs_one_statement_for_any_number_of_results() {
    let (TestApp { app, database, .. }, [me]) = TestApp::with_users().await;
    create_similar_users(&database).await;

    for text in ["ana", "an", "na1", "shown"] {
        let query = UserSearchQuery::parse(text).unwrap();
        for limit in [1, 10, 50] {
            let found = assert_queries!(1, users::search(&app, me, &query, limit));
            assert_eq!(i64::try_from(found.len()).unwrap(), limit, "{text}");
        }
    }
    let no_match = UserSearchQuery::parse("unknown").unwrap();
    assert_eq!(assert_queries!(1, users::search(&app, me, &no_match, 50)), []);
}

#[tokio::test]
async fn validating_usernames_needs_one_statement_for_any_number() {
    let (TestApp { app, database, .. }, [me]) = TestApp::with_users().await;
    create_similar_users(&database).await;

    for length in [1, 10, 50, 60] {
        let names: Vec<String> =
            (100..100 + length).map(|number| format!("Ana{number}.")).collect();
        let batch = UsernameBatch::new(names.clone());
        let validation = assert_queries!(1, users::validate_usernames(&app, me, batch));
        let valid = names[..names.len().min(UsernameBatch::MAX_LEN)].to_vec();
        assert_eq!(validation, UsernameValidation { valid, invalid: Vec::new() });
    }
    assert_eq!(
        assert_queries!(1, users::find_by_username(&app, me, "ana100")).1.as_str(),
        "ana100"
    );
}

#[tokio::test]
async fn users_across_a_block_are_not_found_by_name() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [me, other] = [
        create_user(&database).await,
        a_user().with_username("ben").insert_into(&database).await.id,
    ];
    assert_eq!(users::find_by_username(&app, me, "BEN.").await.unwrap().0, other);

    block(&database, me, other).await;

    assert_not_found(users::find_by_username(&app, me, "ben").await);
    assert_not_found(users::find_by_username(&app, me, "b%n").await);
}

/// Inserts 61 users with similar names.
async fn create_similar_users(database: &TestDatabase) {
    database.execute(
        "INSERT INTO users (email, username, hashed_password, display_name)
         SELECT n || '@example.org', 'ana' || n, 'x', 'Shown ' || n FROM generate_series(100, 160) AS n",
    )
    .await;
}
