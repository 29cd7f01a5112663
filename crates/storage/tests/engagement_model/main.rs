//! Random actions of three users on three posts, compared between PostgreSQL and a model in memory.

mod actions;
mod model;
mod postgres;

use grateful_test_database::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::actions::Action;
use crate::model::Model;
use crate::postgres::PostgresEngagement;

#[test]
fn random_actions_give_the_model_and_postgresql_the_same_state() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let bounds = ProptestConfig {
        cases: 64,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    };

    let outcome = TestRunner::new(bounds)
        .run(&actions::actions(), |actions| runtime.block_on(run(&database, &actions)));

    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Compares the outcome of each action, and all rows and counters at the end.
async fn run(database: &TestDatabase, actions: &[Action]) -> Result<(), TestCaseError> {
    let mut postgres = PostgresEngagement::create(database).await;
    let mut model = Model::default();
    for action in actions {
        prop_assert_eq!(postgres.apply(*action).await, model.apply(*action), "{:?}", action);
    }
    prop_assert_eq!(postgres.rows().await, model.rows(&postgres.fixture));
    Ok(())
}
