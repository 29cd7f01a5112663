//! Whatever three people do with three posts, PostgreSQL ends up as a small model does that has never heard of SQL.

mod actions;
mod model;
mod postgres;

use grateful_testkit::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::actions::Act;
use crate::model::Model;
use crate::postgres::Stage;

#[test]
fn random_acts_leave_the_model_and_postgresql_equal() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let bounds = ProptestConfig {
        cases: 64,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    };

    let outcome = TestRunner::new(bounds)
        .run(&actions::some(), |acts| runtime.block_on(play(&database, &acts)));

    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Compares what each act came to, and at the end all rows and numbers.
async fn play(database: &TestDatabase, acts: &[Act]) -> Result<(), TestCaseError> {
    let mut stage = Stage::set(database).await;
    let mut model = Model::default();
    for act in acts {
        prop_assert_eq!(stage.play(*act).await, model.play(*act), "{:?}", act);
    }
    prop_assert_eq!(stage.rows().await, model.rows(&stage.cast));
    Ok(())
}
