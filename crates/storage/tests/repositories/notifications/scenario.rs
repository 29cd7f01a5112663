//! A user with a post, and events of other users for her inbox.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, RenderedNotification};
use grateful_domain::{Author, Comment, Emoji, Limit, NotificationId, PageRequest, Post, UserId};
use grateful_storage::{Connection, NotificationQuery, RecordResult, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_comment, a_post, create_user};
use uuid::Uuid;

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database with the user Ana and her post, and a clock that advances only on request.
pub(crate) struct Scenario {
    pub(crate) database: TestDatabase,
    pub(crate) conn: Connection,
    pub(crate) ana: UserId,
    pub(crate) post: Post,
    pub(crate) now: DateTime<Utc>,
}

impl Scenario {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let ana = create_user(&database).await;
        let post = a_post().by(ana).with_text("For the bus driver").insert_into(&database).await;
        let conn = database.connect().await;
        Self { database, conn, ana, post, now: NOON }
    }

    pub(crate) async fn create_users<const N: usize>(&self) -> [UserId; N] {
        let mut users = [self.ana; N];
        for user in &mut users {
            *user = create_user(&self.database).await;
        }
        users
    }

    /// Creates a comment on Ana's post.
    pub(crate) async fn create_comment_by(&self, author: UserId) -> Comment {
        a_comment()
            .by(author)
            .on(&self.post)
            .with_text("How lovely")
            .insert_into(&self.database)
            .await
    }

    pub(crate) fn advance(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub(crate) fn heart(&self) -> Act {
        Act::Heart { post: self.post.id }
    }

    pub(crate) fn reaction(&self) -> Act {
        Act::Reaction { post: self.post.id }
    }

    pub(crate) fn cause_for_ana(&self, actor: UserId, act: Act) -> Cause {
        Cause { recipient: self.ana, actor, act }
    }

    pub(crate) fn event(&self, cause: Cause) -> Event {
        event(cause, self.now)
    }

    /// Records these events in one call.
    pub(crate) async fn record(&mut self, causes: &[Cause]) -> RecordResult {
        let events: Vec<Event> = causes.iter().map(|cause| self.event(*cause)).collect();
        self.conn.notifications().record(&events).await.unwrap()
    }

    /// Records the act of each actor for Ana, one minute apart.
    pub(crate) async fn notify_ana(&mut self, actors: &[UserId], act: Act) {
        for actor in actors {
            self.record(&[self.cause_for_ana(*actor, act)]).await;
            self.advance(TimeDelta::minutes(1));
        }
    }

    pub(crate) async fn withdraw(&mut self, causes: &[Cause]) {
        self.conn.notifications().withdraw(causes, self.now).await.unwrap();
    }

    pub(crate) async fn list_for(&mut self, owner: UserId) -> Vec<RenderedNotification> {
        let page = PageRequest::first(Limit::MAX);
        self.conn.notifications().list(NotificationQuery::of(owner).page(page)).await.unwrap().items
    }

    pub(crate) async fn children_of(&mut self, batch: NotificationId) -> Vec<RenderedNotification> {
        let page = PageRequest::first(Limit::MAX);
        self.conn
            .notifications()
            .list(NotificationQuery::of(self.ana).children_of(batch).page(page))
            .await
            .unwrap()
            .items
    }

    /// The messages in a user's list, newest first, in the form of [`summary_line`].
    pub(crate) async fn messages_for(&mut self, owner: UserId) -> Vec<String> {
        self.list_for(owner).await.iter().map(summary_line).collect()
    }

    /// Ana's only top-level notification.
    pub(crate) async fn only_notification(&mut self) -> RenderedNotification {
        let mut list = self.list_for(self.ana).await;
        assert_eq!(list.len(), 1, "{:?}", list.iter().map(summary_line).collect::<Vec<_>>());
        list.remove(0)
    }

    /// The number of notifications of all users, including the children of batches.
    pub(crate) async fn count_notifications(&self) -> i64 {
        self.database.count("notifications").await
    }
}

/// An event at this time, with all details that its act can have.
pub(crate) fn event(cause: Cause, at: DateTime<Utc>) -> Event {
    let details = match cause.act {
        Act::Reaction { .. } => EventDetails::of_emoji(Emoji::Hug),
        _ => EventDetails::default(),
    };
    Event { cause, details, at, id: new_id(), batch_id: new_id() }
}

/// The message of a notification, with a star in front if it is unread and `N` in place of the actor's name.
pub(crate) fn summary_line(rendered: &RenderedNotification) -> String {
    let star = if rendered.notification.read_at.is_none() { "* " } else { "" };
    let name = rendered.actor.as_ref().map_or("unknown", Author::name);
    format!("{star}{}", rendered.text.message.replace(name, "N"))
}

pub(crate) fn new_id() -> NotificationId {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = 0x0195_0000_0000_7000_8000_0000_0000_0000 | u128::from(number);
    Uuid::from_u128(id).into()
}
