//! Random steps, compared between the domain's [`Inbox`](grateful_domain::Inbox) in memory and the inbox in PostgreSQL.

mod scenario;
mod steps;

use grateful_test_database::TestDatabase;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::scenario::{Fixture, Scenario};
use crate::steps::Step;

#[test]
fn random_steps_give_the_inbox_in_memory_and_in_postgresql_the_same_state() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let fixture = runtime.block_on(Fixture::create(&database));
    let bounds = ProptestConfig {
        cases: 16,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    };

    let outcome = TestRunner::new(bounds)
        .run(&steps::steps(), |steps| runtime.block_on(run(&database, &fixture, &steps)));

    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

/// Compares the results and the rendered lists after every step.
async fn run(
    database: &TestDatabase,
    fixture: &Fixture,
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let mut scenario = Scenario::create(database, fixture).await;
    for step in steps {
        let (in_memory, in_postgresql) = scenario.run_step(step).await;
        prop_assert_eq!(in_memory, in_postgresql, "{:?}", step);
        prop_assert_eq!(
            scenario.list_in_memory(),
            scenario.list_in_postgresql().await,
            "{:?}",
            step
        );
    }
    Ok(())
}
