//! Verifying and repairing cached counts and notifications against the rows they derive from.

use std::ops::ControlFlow;

use grateful_domain::notification::Cause;
use grateful_storage::{
    ActTable, CounterTable, Counters, Mismatch, MissingNotification, RowKey, VerifiedBatch,
};

use super::housekeeping::explained_before;
use crate::{App, Error, Result};

/// Progress of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A value differs from its rows. With [`Repair::Yes`], it was repaired.
    Mismatch(Mismatch),
    /// An act has no notification, and no reason for that. With [`Repair::Yes`], it was stored as one without a known reason.
    MissingNotification(Cause),
    /// A batch of a table was verified.
    Verified {
        /// The verified table.
        table: CounterTable,
        /// The number of its rows verified so far.
        rows: u64,
    },
    /// The notifications of a batch of acts were verified.
    VerifiedActs {
        /// The table of the acts.
        table: ActTable,
        /// The number of its rows verified so far.
        rows: u64,
    },
}

/// Whether to repair differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Report only.
    No,
    /// Set every mismatching value to what its rows say, and accept missing notifications. Acts do not notify anyone late.
    Yes,
}

/// How many rows one statement verifies: few enough to delay no other request and to bound memory.
const BATCH_SIZE: i64 = 1_000;

/// Recomputes every cached value, and compares notifications and acts in both directions, while the service is in use. Reports
/// the differences, and returns how many there are.
///
/// Each batch compares values and rows in one statement, which sees one snapshot of both. Acts in flight are therefore no
/// difference.
pub async fn verify(
    app: &App,
    repair: Repair,
    mut on_progress: impl FnMut(Progress),
) -> Result<u64> {
    let mut differences = 0;
    let tables = [
        CounterTable::Users,
        CounterTable::Posts,
        CounterTable::Notifications,
        CounterTable::Inboxes,
    ];
    for table in tables {
        differences += verify_values(app, table, repair, &mut on_progress).await?;
    }
    for table in ActTable::ALL {
        differences += verify_acts(app, table, repair, &mut on_progress).await?;
    }
    Ok(differences)
}

async fn verify_values(
    app: &App,
    table: CounterTable,
    repair: Repair,
    on_progress: &mut impl FnMut(Progress),
) -> Result<u64> {
    let (mut differences, mut rows, mut after) = (0, 0, None);
    while let ControlFlow::Continue(batch) = verify_batch(app, table, after).await? {
        rows += batch.rows;
        after = Some(batch.last_key);
        for mismatch in batch.mismatches {
            differences += 1;
            if repair == Repair::Yes {
                let now = app.clock.now();
                app.db
                    .transaction(async |tx| {
                        Ok::<_, Error>(Counters::new(tx).repair(&mismatch, now).await?)
                    })
                    .await?;
            }
            on_progress(Progress::Mismatch(mismatch));
        }
        on_progress(Progress::Verified { table, rows });
    }
    Ok(differences)
}

async fn verify_batch(
    app: &App,
    table: CounterTable,
    after: Option<RowKey>,
) -> Result<ControlFlow<(), VerifiedBatch>> {
    let batch =
        Counters::new(&mut *app.db.acquire().await?).verify(table, after, BATCH_SIZE).await?;
    Ok(batch.map_or(ControlFlow::Break(()), ControlFlow::Continue))
}

async fn verify_acts(
    app: &App,
    table: ActTable,
    repair: Repair,
    on_progress: &mut impl FnMut(Progress),
) -> Result<u64> {
    let read_before = explained_before(app, app.clock.now());
    let (mut differences, mut rows, mut after) = (0, 0, None);
    loop {
        let mut conn = app.db.acquire().await?;
        let batch =
            Counters::new(&mut conn).verify_acts(table, after, BATCH_SIZE, read_before).await?;
        drop(conn);
        let Some(batch) = batch else { return Ok(differences) };
        rows += batch.rows;
        after = Some(batch.last_key);
        for missing in batch.missing {
            differences += 1;
            if repair == Repair::Yes {
                accept(app, &missing).await?;
            }
            on_progress(Progress::MissingNotification(missing.cause()));
        }
        on_progress(Progress::VerifiedActs { table, rows });
    }
}

async fn accept(app: &App, missing: &MissingNotification) -> Result<()> {
    let now = app.clock.now();
    let read_before = explained_before(app, now);
    app.db
        .transaction(async |tx| {
            Ok(Counters::new(tx).accept_missing(missing.clone(), read_before, now).await?)
        })
        .await
}
