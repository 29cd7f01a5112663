//! Whatever people do, and whenever, PostgreSQL keeps a list as [`Inbox`](grateful_domain::Inbox) does, which has never
//! heard of SQL.

mod scenario;
#[path = "../support/sql.rs"]
mod sql;
mod steps;

use grateful_testkit::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::scenario::{Cast, Stage};
use crate::steps::Step;

#[test]
fn random_acts_leave_the_inbox_in_memory_and_that_in_postgresql_equal() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let cast = runtime.block_on(Cast::gather(&database));
    let bounds = ProptestConfig {
        cases: 16,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    };

    let outcome = TestRunner::new(bounds)
        .run(&steps::some(), |steps| runtime.block_on(play(&database, &cast, &steps)));

    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Compares all that can be seen of the two after every step.
async fn play(database: &TestDatabase, cast: &Cast, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut stage = Stage::set(database, cast).await;
    for step in steps {
        let (in_memory, in_postgresql) = stage.play(step).await;
        prop_assert_eq!(in_memory, in_postgresql, "{:?}", step);
        prop_assert_eq!(stage.seen_in_memory(), stage.seen_in_postgresql().await, "{:?}", step);
    }
    prop_assert_eq!(stage.written_in_memory(), stage.written_in_postgresql().await);
    Ok(())
}
