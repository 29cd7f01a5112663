//! Verifying and repairing cached counts and notifications against the rows they derive from.

use std::ops::ControlFlow;

pub use grateful_storage::{CounterTable, Mismatch};
use grateful_storage::{Repositories, RowKey, VerifiedBatch};

use crate::{App, Result};

/// Progress of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A value differs from its rows. With [`Repair::Yes`], it was repaired.
    Mismatch(Mismatch),
    /// A batch of a table was verified.
    Verified {
        /// The verified table.
        table: CounterTable,
        /// The number of its rows verified so far.
        rows: u64,
    },
}

/// Whether to repair mismatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Report only.
    No,
    /// Set every mismatching value to what its rows say.
    Yes,
}

/// How many rows one statement verifies: few enough to delay no other request and to bound memory.
const BATCH_SIZE: i64 = 1_000;

/// Recomputes every cached value while the service is in use, and reports mismatches. Returns how many there are.
///
/// Each batch compares values and rows in one statement, which sees one snapshot of both. Acts in flight are therefore no
/// mismatch.
pub async fn verify(
    app: &App,
    repair: Repair,
    mut on_progress: impl FnMut(Progress),
) -> Result<u64> {
    let mut mismatches = 0;
    for table in [CounterTable::Users, CounterTable::Posts, CounterTable::Notifications] {
        let (mut rows, mut after) = (0, None);
        while let ControlFlow::Continue(batch) = verify_batch(app, table, after).await? {
            rows += batch.rows;
            after = Some(batch.last_key);
            for mismatch in batch.mismatches {
                mismatches += 1;
                if repair == Repair::Yes {
                    app.db
                        .transaction(async |tx| {
                            Ok::<_, crate::Error>(tx.counters().repair(&mismatch).await?)
                        })
                        .await?;
                }
                on_progress(Progress::Mismatch(mismatch));
            }
            on_progress(Progress::Verified { table, rows });
        }
    }
    Ok(mismatches)
}

async fn verify_batch(
    app: &App,
    table: CounterTable,
    after: Option<RowKey>,
) -> Result<ControlFlow<(), VerifiedBatch>> {
    let batch = app.db.acquire().await?.counters().verify(table, after, BATCH_SIZE).await?;
    Ok(batch.map_or(ControlFlow::Break(()), ControlFlow::Continue))
}
