//! The `marks` and `mark_epochs` tables: how far a replica must have replayed the log to show what a user has written.
//!
//! Both are unlogged: a crash of the primary empties them, and they are empty on a replica that is promoted. Then the epoch is
//! missing, so that the loss of the marks is noticed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use grateful_domain::UserId;

use crate::connection::Lsn;
use crate::query::statement;
use crate::schema::{mark_epochs, marks};
use crate::{Connection, ReadConnection, ReadMark, Result};

/// The repository of marks. All methods must run on the primary.
pub struct Marks<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl<C: ReadConnection> Marks<'_, C> {
    /// Finds the mark of a user.
    pub async fn find(&mut self, user: UserId) -> Result<ReadMark> {
        let mark = marks::table.find(i64::from(user)).select(marks::lsn).single_value();
        let epoch = mark_epochs::table.select(mark_epochs::lsn).single_value();
        let (mark, epoch): (Option<i64>, Option<i64>) =
            diesel::select((mark, epoch)).get_result(self.conn).await?;
        Ok(read_mark(mark, epoch))
    }
}

impl Marks<'_> {
    /// Marks that everything that the user has committed until now must be visible to their later reads. Call it before the
    /// commit is acknowledged, and not in its transaction, whose end would be later than the mark.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `marks_user_id_fkey` if the user does not exist.
    pub async fn put(&mut self, user: UserId) -> Result<()> {
        PutMark { user: user.into() }.execute(self.conn).await?;
        Ok(())
    }

    /// Makes marks usable after they were lost: from now on, nothing that was committed before is missed.
    pub async fn begin(&mut self) -> Result<()> {
        BeginMarkEpoch { id: true }.execute(self.conn).await?;
        Ok(())
    }
}

/// What was committed before the epoch may have lost its mark.
pub(super) fn read_mark(mark: Option<i64>, epoch: Option<i64>) -> ReadMark {
    let Some(epoch) = epoch else { return ReadMark::unknown() };
    ReadMark::at(Lsn::from_bytes(mark.map_or(epoch, |mark| mark.max(epoch))))
}

statement! {
    /// A commit has returned, so its record is on disk. A mark never goes back.
    PutMark { user: i64 as BigInt } -> (),
    "INSERT INTO marks (user_id, lsn) VALUES (:user, (pg_current_wal_flush_lsn() - '0/0')::bigint)
     ON CONFLICT (user_id) DO UPDATE SET lsn = greatest(marks.lsn, excluded.lsn)"
}

statement! {
    /// If several processes begin at once, the first one counts: all of them come after the loss.
    BeginMarkEpoch { id: bool as Bool } -> (),
    "INSERT INTO mark_epochs (id, lsn) VALUES (:id, (pg_current_wal_flush_lsn() - '0/0')::bigint)
     ON CONFLICT (id) DO NOTHING"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_at_least_its_epoch_and_unknown_without_one() {
        let at = |lsn| ReadMark::at(Lsn::from_bytes(lsn));

        assert_eq!(read_mark(Some(9), Some(5)), at(9));
        assert_eq!(read_mark(Some(3), Some(5)), at(5));
        assert_eq!(read_mark(None, Some(5)), at(5));
        assert!(read_mark(Some(9), None).is_unknown());
    }
}
