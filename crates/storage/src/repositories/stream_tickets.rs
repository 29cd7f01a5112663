//! The `stream_tickets` table: single-use tickets that open a notification stream.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{Session, SessionId};
use uuid::Uuid;

use super::expired_rows::delete_part;
use super::sessions::TokenHash;
use crate::query::statement;
use crate::rows::SessionRow;
use crate::schema::{sessions, stream_tickets};
use crate::{Connection, Result};

/// The repository of stream tickets.
pub struct StreamTickets<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl StreamTickets<'_> {
    /// Inserts a ticket for a session.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `stream_tickets_session_id_fkey` if the session does not exist.
    pub async fn insert(
        &mut self,
        ticket: TokenHash,
        session: SessionId,
        expires_at: DateTime<Utc>,
    ) -> Result<()> {
        diesel::insert_into(stream_tickets::table)
            .values((
                stream_tickets::ticket_hash.eq(ticket.0.to_vec()),
                stream_tickets::session_id.eq(Uuid::from(session)),
                stream_tickets::expires_at.eq(expires_at),
            ))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Deletes a ticket and returns its session. `None` if the ticket does not exist, or if the ticket or the session has
    /// expired.
    pub async fn redeem(
        &mut self,
        ticket: TokenHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>> {
        let session: Option<Uuid> = diesel::delete(stream_tickets::table.find(ticket.0.to_vec()))
            .filter(stream_tickets::expires_at.gt(now))
            .returning(stream_tickets::session_id)
            .get_result(self.conn)
            .await
            .optional()?;
        self.find_session(session, now).await
    }

    /// Returns the session of a ticket and keeps the ticket. `None` in the same cases as for [`redeem`](Self::redeem).
    pub async fn find(&mut self, ticket: TokenHash, now: DateTime<Utc>) -> Result<Option<Session>> {
        let session = stream_tickets::table
            .find(ticket.0.to_vec())
            .filter(stream_tickets::expires_at.gt(now))
            .select(stream_tickets::session_id)
            .first(self.conn)
            .await
            .optional()?;
        self.find_session(session, now).await
    }

    async fn find_session(
        &mut self,
        session: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>> {
        let Some(session) = session else { return Ok(None) };
        let row = sessions::table
            .find(session)
            .filter(sessions::expires_at.gt(now))
            .select(SessionRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(SessionRow::into))
    }

    /// Deletes up to `limit` expired tickets. Returns their number.
    pub async fn sweep(&mut self, now: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(SweepStreamTickets { now, limit }.get_result(self.conn).await?)
    }
}

statement! {
    SweepStreamTickets { now: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("stream_tickets", "expires_at", "expires_at <= :now")
}
