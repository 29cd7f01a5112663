//! The `sessions` table: who is signed in, where and until when.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{Session, SessionId, UserId};
use uuid::Uuid;

use crate::rows::SessionRow;
use crate::schema::sessions;
use crate::{Connection, Result};

/// Sessions, as seen through one connection.
pub struct Sessions<'c> {
    pub(super) conn: &'c mut Connection,
}

/// The SHA-256 hash of a token: all that is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl Sessions<'_> {
    /// Begins a session that `token` opens.
    ///
    /// # Errors
    /// `Missing` where its user is gone, by `sessions_user_id_fkey`.
    pub async fn insert(&mut self, session: &Session, token: TokenHash) -> Result<()> {
        diesel::insert_into(sessions::table)
            .values((SessionRow::from(session), sessions::token_hash.eq(&token.0[..])))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// The session that this token opens, unless it has expired.
    pub async fn find_active(
        &mut self,
        token: TokenHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>> {
        let row = sessions::table
            .filter(sessions::token_hash.eq(token.0.to_vec()))
            .filter(sessions::expires_at.gt(now))
            .select(SessionRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(SessionRow::into))
    }

    /// Whether this session has neither ended nor expired.
    pub async fn is_active(&mut self, session: SessionId, now: DateTime<Utc>) -> Result<bool> {
        let live = sessions::table.find(Uuid::from(session)).filter(sessions::expires_at.gt(now));
        Ok(select(exists(live)).get_result(self.conn).await?)
    }

    /// This person's sessions that have not expired, newest first.
    pub async fn list_active(&mut self, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let rows: Vec<SessionRow> = sessions::table
            .filter(sessions::user_id.eq(i64::from(user)))
            .filter(sessions::expires_at.gt(now))
            .select(SessionRow::as_select())
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(MOST_LISTED)
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(SessionRow::into).collect())
    }

    /// Writes down that a session was used.
    pub async fn touch(&mut self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        diesel::update(sessions::table.find(Uuid::from(session)))
            .set(sessions::last_used_at.eq(now))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Ends one session of this person. Tells whether there was one.
    pub async fn delete(&mut self, user: UserId, session: SessionId) -> Result<bool> {
        let theirs =
            sessions::table.find(Uuid::from(session)).filter(sessions::user_id.eq(i64::from(user)));
        Ok(diesel::delete(theirs).execute(self.conn).await? == 1)
    }

    /// Ends all sessions of this person. Tells how many there were.
    pub async fn delete_all(&mut self, user: UserId) -> Result<usize> {
        let theirs = sessions::table.filter(sessions::user_id.eq(i64::from(user)));
        Ok(diesel::delete(theirs).execute(self.conn).await?)
    }

    /// Ends all sessions of this person but one. Tells how many there were.
    pub async fn delete_others(&mut self, user: UserId, kept: SessionId) -> Result<usize> {
        let others = sessions::table
            .filter(sessions::user_id.eq(i64::from(user)))
            .filter(sessions::id.ne(Uuid::from(kept)));
        Ok(diesel::delete(others).execute(self.conn).await?)
    }

    /// Removes the sessions that have expired. Tells how many there were.
    pub async fn sweep(&mut self, now: DateTime<Utc>) -> Result<usize> {
        let expired = sessions::table.filter(sessions::expires_at.le(now));
        Ok(diesel::delete(expired).execute(self.conn).await?)
    }
}

/// More devices than anybody looks through.
const MOST_LISTED: i64 = 100;
