//! The `stream_tickets` table: what opens one stream of notifications, once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{Session, SessionId};
use uuid::Uuid;

use crate::rows::SessionRow;
use crate::schema::{sessions, stream_tickets};
use crate::{Connection, Result, TokenHash};

/// Tickets, as seen through one connection.
pub struct StreamTickets<'c> {
    pub(super) conn: &'c mut Connection,
}

impl StreamTickets<'_> {
    /// Issues a ticket for a session.
    ///
    /// # Errors
    /// `Missing` where the session has ended, by `stream_tickets_session_id_fkey`.
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

    /// Uses a ticket up. Returns the session that it was issued for, where both are still good.
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

    /// Removes the tickets that nobody used in time. Tells how many there were.
    pub async fn sweep(&mut self, now: DateTime<Utc>) -> Result<usize> {
        let expired = stream_tickets::table.filter(stream_tickets::expires_at.le(now));
        Ok(diesel::delete(expired).execute(self.conn).await?)
    }
}
