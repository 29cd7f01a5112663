//! The `sessions` table.

mod access_token;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Session, SessionId, UserId};
use uuid::Uuid;

pub use self::access_token::AccessToken;
use super::expired_rows::delete_part;
use super::marks::read_mark;
use crate::query::statement;
use crate::rows::SessionRow;
use crate::schema::{mark_epochs, marks, sessions};
use crate::{Connection, ReadConnection, ReadMark, Result};

/// The repository of sessions.
pub struct Sessions<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// The SHA-256 hash of the text of an [`AccessToken`], as `sessions.token_hash` has it: 32 bytes. The token itself is never
/// stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl<C: ReadConnection> Sessions<'_, C> {
    /// Finds the session that this token authenticates, unless it has expired.
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

    /// As [`find_active`](Self::find_active), with the mark of the session's user, in one statement. It must run on the
    /// primary, since replicas have no marks.
    pub async fn find_active_with_mark(
        &mut self,
        token: TokenHash,
        now: DateTime<Utc>,
    ) -> Result<Option<(Session, ReadMark)>> {
        let row: Option<(SessionRow, Option<i64>, Option<i64>)> = sessions::table
            .filter(sessions::token_hash.eq(token.0.to_vec()))
            .filter(sessions::expires_at.gt(now))
            .select((
                SessionRow::as_select(),
                marks::table
                    .filter(marks::user_id.eq(sessions::user_id))
                    .select(marks::lsn)
                    .single_value(),
                mark_epochs::table.select(mark_epochs::lsn).single_value(),
            ))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(|(session, mark, epoch)| (session.into(), read_mark(mark, epoch))))
    }

    /// Whether this session exists and has not expired.
    pub async fn is_active(&mut self, session: SessionId, now: DateTime<Utc>) -> Result<bool> {
        let active = sessions::table.find(Uuid::from(session)).filter(sessions::expires_at.gt(now));
        Ok(select(exists(active)).get_result(self.conn).await?)
    }

    /// Finds the sessions that have ended or whose user's inbox has changed, in one statement for all that are followed. Each
    /// comes with the number of the last change that is known of the inbox. Returns the current number, or `None` if the session
    /// does not exist any more. It does not compare the time of their expiry, which never changes.
    pub async fn find_inbox_changes(
        &mut self,
        followed: &[(SessionId, i64)],
    ) -> Result<Vec<(SessionId, Option<i64>)>> {
        let (sessions, known) = followed.iter().map(|(id, seq)| (Uuid::from(*id), *seq)).unzip();
        let find = FindInboxChanges { sessions, known };
        let rows: Vec<(Uuid, Option<i64>)> = find.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, last_seq)| (id.into(), last_seq)).collect())
    }

    /// Lists a user's sessions that have not expired, newest first, at most 100.
    pub async fn list_active(&mut self, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let rows: Vec<SessionRow> = sessions::table
            .filter(sessions::user_id.eq(i64::from(user)))
            .filter(sessions::expires_at.gt(now))
            .select(SessionRow::as_select())
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(MAX_LISTED)
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(SessionRow::into).collect())
    }
}

impl Sessions<'_> {
    /// Inserts a session that `token` authenticates.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `sessions_user_id_fkey` if the user does not exist.
    pub async fn insert(&mut self, session: &Session, token: TokenHash) -> Result<()> {
        diesel::insert_into(sessions::table)
            .values((SessionRow::from(session), sessions::token_hash.eq(&token.0[..])))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Sets the time at which a session was last used.
    pub async fn touch(&mut self, session: SessionId, now: DateTime<Utc>) -> Result<()> {
        diesel::update(sessions::table.find(Uuid::from(session)))
            .set(sessions::last_used_at.eq(now))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Deletes one session of a user. Returns whether it existed.
    pub async fn delete(&mut self, user: UserId, session: SessionId) -> Result<bool> {
        let sessions =
            sessions::table.find(Uuid::from(session)).filter(sessions::user_id.eq(i64::from(user)));
        Ok(diesel::delete(sessions).execute(self.conn).await? == 1)
    }

    /// Deletes all sessions of a user. Returns their number.
    pub async fn delete_all(&mut self, user: UserId) -> Result<usize> {
        let sessions = sessions::table.filter(sessions::user_id.eq(i64::from(user)));
        Ok(diesel::delete(sessions).execute(self.conn).await?)
    }

    /// Deletes all sessions of a user except one. Returns the number of deleted sessions.
    pub async fn delete_others(&mut self, user: UserId, except: SessionId) -> Result<usize> {
        let others = sessions::table
            .filter(sessions::user_id.eq(i64::from(user)))
            .filter(sessions::id.ne(Uuid::from(except)));
        Ok(diesel::delete(others).execute(self.conn).await?)
    }

    /// Deletes up to `limit` expired sessions. Returns their number.
    pub async fn sweep(&mut self, now: DateTime<Utc>, limit: i64) -> Result<i64> {
        Ok(SweepSessions { now, limit }.get_result(self.conn).await?)
    }
}

statement! {
    /// The subqueries are never turned into joins, so each session and each inbox is a look-up by key.
    FindInboxChanges { sessions: Vec<Uuid> as Array<SqlUuid>, known: Vec<i64> as Array<BigInt> } -> (SqlUuid, Nullable<BigInt>),
    "SELECT session_id, last_seq FROM (
        SELECT session_id, known_seq, (
            SELECT coalesce((SELECT last_seq FROM inboxes WHERE inboxes.user_id = sessions.user_id), 0)
            FROM sessions WHERE sessions.id = session_id
        ) AS last_seq
        FROM unnest(:sessions, :known) AS followed (session_id, known_seq)
    ) AS found
    WHERE last_seq IS DISTINCT FROM known_seq"
}

statement! {
    SweepSessions { now: DateTime<Utc> as Timestamptz, limit: i64 as BigInt } -> BigInt,
    delete_part("sessions", "expires_at", "expires_at <= :now")
}

/// The maximum number of listed sessions: more devices than a user looks through.
const MAX_LISTED: i64 = 100;
