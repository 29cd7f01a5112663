//! Readiness of this node.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_storage::{Connection, pending_migrations, server_state};
use object_store::ObjectStore;

use crate::metrics::CLOCK_SKEW;
use crate::upload_probe::try_write;
use crate::{App, Error, Result};

/// Checks that the database responds and accepts writes, that its clock agrees with this one, that its schema is that of this
/// build, and that uploads can be written, which it tries every [`UploadProbe::KEPT`](crate::UploadProbe::KEPT) at most.
///
/// # Errors
/// `Unavailable`, with the failed check as its source.
pub async fn check_readiness(app: &App) -> Result<()> {
    let mut conn = app.db.acquire().await?;
    check_server(app, &mut conn).await?;
    let pending = pending_migrations(&mut conn).await?;
    drop(conn);
    if let Some(first) = pending.first() {
        return Err(Error::Unavailable(format!("migration {first} is pending").into()));
    }
    app.upload_probe.check(&*app.files, &*app.clock).await
}

/// Checks that uploads can be written: writes a small file and deletes it.
///
/// # Errors
/// `Unavailable`, with the failed operation as its source.
pub async fn check_uploads(files: &dyn ObjectStore) -> Result<()> {
    try_write(files).await.map_err(|error| Error::Unavailable(error.into()))
}

/// Checks the role of the server, and its clock: nodes with different clocks would expire each other's leases too early, and
/// lists in the order of time would jump.
async fn check_server(app: &App, conn: &mut Connection) -> Result<()> {
    let before = app.clock.now();
    let server = server_state(conn).await?;
    let skew = skew(server.now, before, app.clock.now());
    metrics::gauge!(CLOCK_SKEW).set(skew.as_seconds_f64());
    if server.is_read_only {
        return Err(Error::Unavailable("the database accepts only reads".into()));
    }
    if app.max_clock_skew < skew.abs() {
        let milliseconds = skew.num_milliseconds();
        let reason =
            format!("the clock of the database is {milliseconds} ms ahead of the one of this node");
        return Err(Error::Unavailable(reason.into()));
    }
    Ok(())
}

/// By how much a clock that was read between two moments is fast, at least. Negative if it is slow.
fn skew(clock: DateTime<Utc>, before: DateTime<Utc>, after: DateTime<Utc>) -> TimeDelta {
    if clock < before { clock - before } else { (clock - after).max(TimeDelta::zero()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_fast_or_slow_by_what_the_round_trip_does_not_explain() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let skew = |clock| skew(at(clock), at(10), at(13)).num_seconds();

        assert_eq!([7, 10, 12, 13, 15].map(skew), [-3, 0, 0, 0, 2]);
    }
}
