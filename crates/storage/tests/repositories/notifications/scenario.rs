//! Ana, her post, and what others do.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, RenderedNotification};
use grateful_domain::{Author, Comment, Emoji, Limit, NotificationId, PageRequest, Post, UserId};
use grateful_storage::{Connection, NotificationQuery, RecordResult, Repositories};
use grateful_testkit::{NOON, TestDatabase, a_comment, a_post, create_user};
use uuid::Uuid;

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database with Ana and her post, and a clock that stands still until it is moved.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) conn: Connection,
    pub(crate) ana: UserId,
    pub(crate) post: Post,
    pub(crate) now: DateTime<Utc>,
}

impl World {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let ana = create_user(&database).await;
        let post = a_post().by(ana).insert_into(&database).await;
        let conn = database.connect().await;
        Self { database, conn, ana, post, now: NOON }
    }

    pub(crate) async fn people<const N: usize>(&self) -> [UserId; N] {
        let mut people = [self.ana; N];
        for person in &mut people {
            *person = create_user(&self.database).await;
        }
        people
    }

    /// Something said on Ana's post.
    pub(crate) async fn comment_by(&self, author: UserId) -> Comment {
        a_comment().by(author).on(&self.post).insert_into(&self.database).await
    }

    pub(crate) fn wait(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub(crate) fn heart(&self) -> Act {
        Act::Heart { post: self.post.id }
    }

    pub(crate) fn reaction(&self) -> Act {
        Act::Reaction { post: self.post.id }
    }

    pub(crate) fn to_ana(&self, actor: UserId, act: Act) -> Cause {
        Cause { recipient: self.ana, actor, act }
    }

    pub(crate) fn event(&self, cause: Cause) -> Event {
        event(cause, self.now)
    }

    /// Tells of all this at once.
    pub(crate) async fn record(&mut self, causes: &[Cause]) -> RecordResult {
        let events: Vec<Event> = causes.iter().map(|cause| self.event(*cause)).collect();
        self.conn.notifications().record(&events).await.unwrap()
    }

    /// Tells Ana of this, one person after the other, a minute apart.
    pub(crate) async fn tell_ana(&mut self, people: &[UserId], act: Act) {
        for person in people {
            self.record(&[self.to_ana(*person, act)]).await;
            self.wait(TimeDelta::minutes(1));
        }
    }

    pub(crate) async fn withdraw(&mut self, causes: &[Cause]) {
        self.conn.notifications().withdraw(causes, self.now).await.unwrap();
    }

    pub(crate) async fn list_of(&mut self, owner: UserId) -> Vec<RenderedNotification> {
        let page = PageRequest::first(Limit::MAX);
        self.conn.notifications().list(NotificationQuery::of(owner).page(page)).await.unwrap().items
    }

    pub(crate) async fn entries(&mut self, batch: NotificationId) -> Vec<RenderedNotification> {
        let page = PageRequest::first(Limit::MAX);
        self.conn
            .notifications()
            .list(NotificationQuery::of(self.ana).children_of(batch).page(page))
            .await
            .unwrap()
            .items
    }

    /// What somebody's list says: newest first, a star before what is unread.
    pub(crate) async fn told(&mut self, owner: UserId) -> Vec<String> {
        self.list_of(owner).await.iter().map(line).collect()
    }

    /// The only notification in Ana's list.
    pub(crate) async fn only(&mut self) -> RenderedNotification {
        let mut list = self.list_of(self.ana).await;
        assert_eq!(list.len(), 1, "{:?}", list.iter().map(line).collect::<Vec<_>>());
        list.remove(0)
    }

    /// Everything in everybody's inbox, as rows.
    pub(crate) async fn rows(&self) -> i64 {
        self.database.count("notifications").await
    }
}

/// What was done then, with everything that may be said of it.
pub(crate) fn event(cause: Cause, at: DateTime<Utc>) -> Event {
    let mut details = EventDetails::default();
    if cause.act.post().is_some() {
        details = EventDetails::for_post("For the bus driver");
    }
    if cause.act.comment().is_some() {
        details = details.with_comment("How lovely");
    }
    if let Act::Reaction { .. } = cause.act {
        details = details.with_emoji(Emoji::Hug);
    }
    Event { cause, details, at, id: new_id(), batch_id: new_id() }
}

/// A star before what is unread.
pub(crate) fn line(it: &RenderedNotification) -> String {
    let star = if it.notification.read_at.is_none() { "* " } else { "" };
    let name = it.actor.as_ref().map_or("nobody", Author::name);
    format!("{star}{}", it.notification.text.message.replace(name, "N"))
}

pub(crate) fn new_id() -> NotificationId {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = 0x0195_0000_0000_7000_8000_0000_0000_0000 | u128::from(number);
    Uuid::from_u128(id).into()
}
