//! Finding people by what they are called.

use grateful_application::users;
use grateful_domain::{UserSearchQuery, UsernameBatch, UsernameValidation};
use grateful_testkit::{TestApp, TestDatabase, a_user, assert_queries, block, create_user};

use crate::support::assert_not_found;

#[tokio::test]
async fn a_search_costs_one_statement_however_many_it_finds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let me = create_user(&database).await;
    crowd(&database).await;

    for typed in ["ana", "an", "na1", "shown"] {
        let query = UserSearchQuery::parse(typed).unwrap();
        for most in [1, 10, 50] {
            let found = assert_queries!(1, users::search(&app, me, &query, most));
            assert_eq!(i64::try_from(found.len()).unwrap(), most, "{typed}");
        }
    }
    let nobody = UserSearchQuery::parse("nobody").unwrap();
    assert_eq!(assert_queries!(1, users::search(&app, me, &nobody, 50)), []);
}

#[tokio::test]
async fn names_cost_one_statement_however_many_they_are() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let me = create_user(&database).await;
    crowd(&database).await;

    for length in [1, 10, 50, 60] {
        let names: Vec<String> =
            (100..100 + length).map(|number| format!("Ana{number}.")).collect();
        let asked = UsernameBatch::new(names.clone());
        let sorted = assert_queries!(1, users::validate_usernames(&app, me, asked));
        let answered = names[..names.len().min(UsernameBatch::MAX_LEN)].to_vec();
        assert_eq!(sorted, UsernameValidation { valid: answered, invalid: Vec::new() });
    }
    assert_eq!(
        assert_queries!(1, users::find_by_username(&app, me, "ana100")).1.as_str(),
        "ana100"
    );
}

#[tokio::test]
async fn nobody_is_found_by_name_across_a_block() {
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

/// Sixty who are called much the same.
async fn crowd(database: &TestDatabase) {
    database.execute(
        "INSERT INTO users (email, username, hashed_password, display_name)
         SELECT n || '@example.org', 'ana' || n, 'x', 'Shown ' || n FROM generate_series(100, 160) AS n",
    )
    .await;
}
