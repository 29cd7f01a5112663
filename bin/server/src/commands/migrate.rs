//! `grateful migrate`: brings the schema up to date, or says what that would do.

use grateful_storage::{LockImpact, PendingMigration, plan_migrations};

use super::migrate_database;
use crate::config::Settings;
use crate::database::Postgres;

pub(super) async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let postgres = Postgres::open(settings)?;
    let applied = migrate_database(&postgres.config).await?;
    println!("applied {} migrations", applied.len());
    postgres.close()
}

/// Prints the pending migrations, and what each of them keeps waiting while it runs.
pub(super) async fn print_pending(settings: &Settings) -> anyhow::Result<()> {
    let postgres = Postgres::open(settings)?;
    let pending = plan_migrations(&postgres.config.url).await?;
    println!("{} pending migrations", pending.len());
    pending.iter().for_each(print);
    postgres.close()
}

fn print(pending: &PendingMigration) {
    let PendingMigration { name, locks, in_transaction } = pending;
    println!("{name}{}", if *in_transaction { "" } else { " (outside of a transaction)" });
    if locks.is_empty() {
        println!("  nothing waits");
    }
    for lock in locks {
        let waits = match lock.impact {
            LockImpact::ReadsAndWrites => "reads and writes wait",
            LockImpact::Writes => "writes wait",
            LockImpact::Rows => "writes of the same rows wait",
            LockImpact::Unknown => "unknown",
        };
        println!("  {}: {waits} ({})", lock.table, lock.statement);
    }
}
