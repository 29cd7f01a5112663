//! Streaming the changes of an inbox.

use std::time::Duration;

use chrono::TimeDelta;
use grateful_domain::notification::InboxChange;
use grateful_domain::{Session, UserId};
use grateful_storage::{InboxPosition, Reader, Repositories};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::auth::new_token;
use crate::concurrency_limiter::ConcurrencyPermit;
use crate::inbox_watcher::SessionState;
use crate::metrics::{GaugeGuard, STREAMS_OPEN};
use crate::{AccessToken, App, Error, Result};

/// A secret that opens one stream, once, for clients that cannot send an access token, such as `EventSource` in a browser.
pub type StreamTicket = AccessToken;

/// How long a ticket is valid.
const TICKET_LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// Issues a ticket for a session. Returns it with its lifetime.
pub async fn issue_ticket(app: &App, session: &Session) -> Result<(StreamTicket, TimeDelta)> {
    let ticket = new_token()?;
    let expires_at = app.clock.now() + TICKET_LIFETIME;
    let mut conn = app.db.acquire().await?;
    conn.stream_tickets().insert(ticket.hash(), session.id, expires_at).await?;
    Ok((ticket, TICKET_LIFETIME))
}

/// Redeems a ticket, which invalidates it. Returns the session it was issued for.
///
/// # Errors
/// `Unauthenticated` if the ticket is unknown, used or expired, or if the session has ended.
pub async fn redeem_ticket(app: &App, ticket: &StreamTicket) -> Result<Session> {
    let now = app.clock.now();
    let session = app.db.acquire().await?.stream_tickets().redeem(ticket.hash(), now).await?;
    session.ok_or(Error::Unauthenticated("The ticket is invalid, used, or has expired"))
}

/// Returns the session that a ticket was issued for, and leaves the ticket valid.
///
/// # Errors
/// As [`redeem_ticket`].
pub async fn check_ticket(app: &App, ticket: &StreamTicket) -> Result<Session> {
    let now = app.clock.now();
    let session = app.db.acquire().await?.stream_tickets().find(ticket.hash(), now).await?;
    session.ok_or(Error::Unauthenticated("The ticket is invalid, used, or has expired"))
}

/// The changes of a user's inbox from a sequence number on. Holds at most one batch of changes in memory, and no
/// connection while it waits.
pub struct Stream {
    app: App,
    session: Session,
    /// The sequence number up to which all changes were returned.
    last_seq: i64,
    state: watch::Receiver<SessionState>,
    first_event: Option<StreamEvent>,
    _open: (GaugeGuard, ConcurrencyPermit<UserId>),
}

/// An event of a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// The stream starts after the change with this sequence number.
    Started(i64),
    /// The requested sequence number is unknown or too old to resume from. The client must reload the list; the stream
    /// starts after this sequence number.
    Reset(i64),
    /// The inbox has changed.
    Changes(Vec<InboxChange>),
    /// No event for a while.
    KeepAlive,
}

/// How many changes are read at once.
const BATCH_SIZE: i64 = 100;

/// The maximum time between two events: less than the idle timeout of proxies.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

impl Stream {
    /// Opens a stream of the session's user: from now on, or after the change with the sequence number `last_seq`.
    ///
    /// # Errors
    /// `RateLimited` if the user has [`crate::StreamLimiter::MAX_PER_USER`] streams open.
    pub async fn open(app: App, session: Session, last_seq: Option<i64>) -> Result<Self> {
        let permit = app.stream_limiter.open(session.user)?;
        let user = session.user;
        let read = async |mut conn: Reader| conn.notifications().find_inbox_position(user).await;
        let position = app.db.read(read).await?;
        let state = app.inbox_watcher.subscribe(&app.db, session.id, position.last_seq);
        let (last_seq, first_event) = start(position, last_seq);
        let open = (GaugeGuard::new(STREAMS_OPEN), permit);
        Ok(Self { app, session, last_seq, state, first_event: Some(first_event), _open: open })
    }

    /// Checks whether the session's user could open one more stream, without opening it.
    ///
    /// # Errors
    /// `RateLimited`, as for [`Stream::open`].
    pub fn check_limit(app: &App, session: &Session) -> Result<()> {
        app.stream_limiter.check(session.user)
    }

    /// Waits for the next event. Returns `None` once the session has ended.
    ///
    /// # Errors
    /// `Unavailable` if the database is, when there is a change or for longer. The client can resume later, after the last
    /// change it received.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>> {
        if let Some(first_event) = self.first_event.take() {
            return Ok(Some(first_event));
        }
        let keep_alive_at = Instant::now() + KEEP_ALIVE_INTERVAL;
        loop {
            let state = *self.state.borrow_and_update();
            if state.has_ended || !self.session.is_active(self.app.clock.now()) {
                return Ok(None);
            }
            if self.last_seq < state.last_seq {
                let Some(changes) = self.list_changes().await? else { return Ok(None) };
                // If there are none, those up to the known one are not in the list any more.
                self.last_seq = changes.last().map_or(state.last_seq, |last| last.seq);
                if !changes.is_empty() {
                    return Ok(Some(StreamEvent::Changes(changes)));
                }
                continue;
            }
            match timeout_at(keep_alive_at, self.state.changed()).await {
                Ok(Ok(())) => (),
                Ok(Err(_)) => return Err(Error::Unavailable("inboxes cannot be polled".into())),
                Err(_) if !self.session.is_active(self.app.clock.now()) => return Ok(None),
                Err(_) => return Ok(Some(StreamEvent::KeepAlive)),
            }
        }
    }

    /// Lists the next changes. Returns `None` if the session has ended meanwhile: nothing that happened after that is sent.
    async fn list_changes(&self) -> Result<Option<Vec<InboxChange>>> {
        let (session, after, now) = (&self.session, self.last_seq, self.app.clock.now());
        let (id, user) = (session.id, session.user);
        let read = async |mut conn: Reader| {
            let changes = conn.notifications().list_changes(user, after, BATCH_SIZE).await?;
            let is_active = changes.is_empty() || conn.sessions().is_active(id, now).await?;
            Ok::<_, Error>(is_active.then_some(changes))
        };
        self.app.db.read(read).await
    }
}

/// The sequence number to start after, and the first event.
fn start(position: InboxPosition, requested: Option<i64>) -> (i64, StreamEvent) {
    match requested {
        None => (position.last_seq, StreamEvent::Started(position.last_seq)),
        Some(seq) if (position.forgotten_seq..=position.last_seq).contains(&seq) => {
            (seq, StreamEvent::Started(seq))
        }
        Some(_) => (position.last_seq, StreamEvent::Reset(position.last_seq)),
    }
}
