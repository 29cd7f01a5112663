//! Following one's list as it changes.

use std::time::Duration;

use chrono::TimeDelta;
use grateful_domain::Session;
use grateful_storage::{InboxChange, InboxPosition, Repositories};
use tokio::sync::watch;

use crate::metrics::{GaugeGuard, STREAMS_OPEN};
use crate::{AccessToken, App, Error, Result};

/// What opens one stream, once, for those who cannot send a token there.
pub type StreamTicket = AccessToken;

/// For how long a ticket is good.
const TICKET_LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// Issues a ticket for a session. Tells for how long it is good.
pub async fn issue_ticket(app: &App, session: &Session) -> Result<(StreamTicket, TimeDelta)> {
    let ticket = StreamTicket::generate()?;
    let expires_at = app.clock.now() + TICKET_LIFETIME;
    let mut conn = app.db.acquire().await?;
    conn.stream_tickets().insert(ticket.hash(), session.id, expires_at).await?;
    Ok((ticket, TICKET_LIFETIME))
}

/// Uses a ticket up. Returns the session that it was issued for.
///
/// # Errors
/// `Unauthenticated` where it is unknown, used, or too old, or where the session has ended.
pub async fn redeem_ticket(app: &App, ticket: &StreamTicket) -> Result<Session> {
    let now = app.clock.now();
    let session = app.db.acquire().await?.stream_tickets().redeem(ticket.hash(), now).await?;
    session.ok_or(Error::Unauthenticated("The ticket is invalid, used, or has expired"))
}

/// One's list as it changes, from a point on. It holds one portion of changes at most, and no connection while it waits.
pub struct Stream {
    app: App,
    session: Session,
    /// The number of the last change that was given.
    after: i64,
    inbox_watcher: watch::Receiver<i64>,
    beginning: Option<StreamEvent>,
    _open: GaugeGuard,
}

/// What comes next in a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// It begins behind the change with this number.
    Started(i64),
    /// The point to go on from is too long ago, or unknown: whoever follows has to read the list anew, and goes on behind
    /// this number.
    Reset(i64),
    /// The list has changed.
    Changes(Vec<InboxChange>),
    /// Nothing has happened for a while.
    KeepAlive,
}

/// How many changes are read at once.
const PORTION: i64 = 100;

/// How long nothing is said at most: less than proxies wait.
const SILENCE: Duration = Duration::from_secs(15);

impl Stream {
    /// Follows the list of whoever has this session, from now on or behind the change with the number `last`.
    pub async fn open(app: App, session: Session, last: Option<i64>) -> Result<Self> {
        let inbox_watcher = app.inbox_watcher.subscribe(&app.db, session.user);
        let position =
            app.db.acquire().await?.notifications().find_inbox_position(session.user).await?;
        let (after, beginning) = beginning(position, last);
        let open = GaugeGuard::new(STREAMS_OPEN);
        Ok(Self { app, session, after, inbox_watcher, beginning: Some(beginning), _open: open })
    }

    /// What comes next; nothing once the session has ended.
    ///
    /// # Errors
    /// The database is away; whoever follows may go on later behind the last change.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>> {
        if let Some(beginning) = self.beginning.take() {
            return Ok(Some(beginning));
        }
        loop {
            self.inbox_watcher.mark_unchanged();
            let changes = self.changes().await?;
            if let Some(last) = changes.last() {
                // Where much happens there is no silence in which to ask.
                if !self.is_signed_in().await? {
                    return Ok(None);
                }
                self.after = last.seq;
                return Ok(Some(StreamEvent::Changes(changes)));
            }
            if tokio::time::timeout(SILENCE, self.inbox_watcher.changed()).await.is_err() {
                return Ok(self.is_signed_in().await?.then_some(StreamEvent::KeepAlive));
            }
        }
    }

    async fn changes(&self) -> Result<Vec<InboxChange>> {
        let mut conn = self.app.db.acquire().await?;
        Ok(conn.notifications().list_changes(self.session.user, self.after, PORTION).await?)
    }

    async fn is_signed_in(&self) -> Result<bool> {
        let now = self.app.clock.now();
        Ok(self.app.db.acquire().await?.sessions().is_active(self.session.id, now).await?)
    }
}

/// Where to go on from, and what to say first.
fn beginning(position: InboxPosition, last: Option<i64>) -> (i64, StreamEvent) {
    match last {
        None => (position.last_seq, StreamEvent::Started(position.last_seq)),
        Some(last) if (position.forgotten_seq..=position.last_seq).contains(&last) => {
            (last, StreamEvent::Started(last))
        }
        Some(_) => (position.last_seq, StreamEvent::Reset(position.last_seq)),
    }
}
