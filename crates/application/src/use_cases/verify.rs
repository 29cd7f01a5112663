//! Whether the numbers that are kept beside rows equal the rows, and whether people were told what happened, and no more.

use std::ops::ControlFlow;

// What is verified, and what is found, are storage's words.
pub use grateful_storage::{CounterTable, Mismatch};
use grateful_storage::{Repositories, RowKey, VerifiedBatch};

use crate::{App, Result};

/// What happens while numbers are verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A number that does not equal its rows; mended, where that was asked for.
    Mismatch(Mismatch),
    /// So many rows of a table have been gone through.
    Verified {
        /// What was gone through.
        table: CounterTable,
        /// How many rows of it so far.
        rows: u64,
    },
}

/// Whether to mend what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Change nothing.
    No,
    /// Set every number that differs to what its rows say.
    Yes,
}

/// How many rows one statement goes through: so few that it holds nobody up, and that memory stays bounded.
const STEP: i64 = 1_000;

/// Recomputes every number while others go on, and tells what it finds. Returns how many differ.
///
/// Each step compares numbers and rows in one statement, which sees both at the same moment: an act in flight is no
/// difference.
pub async fn verify(app: &App, repair: Repair, mut tell: impl FnMut(Progress)) -> Result<u64> {
    let mut mismatches = 0;
    for table in [CounterTable::Users, CounterTable::Posts, CounterTable::Notifications] {
        let (mut rows, mut after) = (0, None);
        while let ControlFlow::Continue(step) = step(app, table, after).await? {
            rows += step.rows;
            after = Some(step.last_key);
            for mismatch in step.mismatches {
                mismatches += 1;
                if repair == Repair::Yes {
                    app.db
                        .transaction(async |tx| {
                            Ok::<_, crate::Error>(tx.counters().repair(&mismatch).await?)
                        })
                        .await?;
                }
                tell(Progress::Mismatch(mismatch));
            }
            tell(Progress::Verified { table, rows });
        }
    }
    Ok(mismatches)
}

async fn step(
    app: &App,
    table: CounterTable,
    after: Option<RowKey>,
) -> Result<ControlFlow<(), VerifiedBatch>> {
    let step = app.db.acquire().await?.counters().verify(table, after, STEP).await?;
    Ok(step.map_or(ControlFlow::Break(()), ControlFlow::Continue))
}
