//! The two lists, side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Deliverability, Event, EventDetails};
use grateful_domain::{
    Author, Comment, Emoji, Inbox, Limit, Notification, NotificationId, PageRequest, PostId,
    ShareId, ShareMessage, UserId,
};
use grateful_storage::{Connection, NotificationQuery, Repositories};
use grateful_testkit::{NOON, TestDatabase, a_comment, a_post, a_user, block};
use uuid::Uuid;

use crate::sql::lines;
use crate::steps::{PEOPLE, POSTS, Step};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Whom and what the numbers of a step stand for.
pub(crate) struct Cast {
    people: Vec<Author>,
    posts: Vec<PostId>,
    comments: Vec<Comment>,
}

/// A list in memory and one in PostgreSQL, of somebody new.
pub(crate) struct Stage<'a> {
    database: &'a TestDatabase,
    cast: &'a Cast,
    conn: Connection,
    owner: UserId,
    inbox: Inbox,
    now: DateTime<Utc>,
}

/// The list, each with its entries; how many are unread, and how many there are.
type Seen = (Vec<Notification>, i64, i64);

/// What a step came to, as a number, whatever it counts.
type Came = i64;

impl Cast {
    pub(crate) async fn gather(database: &TestDatabase) -> Self {
        let (mut people, mut posts, mut comments) = (vec![], vec![], vec![]);
        for _ in 0..PEOPLE {
            let user = a_user().insert_into(database).await;
            let author = database.connect().await.users().find_author(user.id).await.unwrap();
            people.push(author.unwrap());
        }
        for _ in 0..POSTS {
            posts.push(a_post().by(people[0].id).insert_into(database).await.id);
        }
        for _ in 0..4 {
            comments.push(a_comment().insert_into(database).await);
        }
        Self { people, posts, comments }
    }

    fn act(&self, number: usize) -> Act {
        let (post, comment) = (self.posts[0], |number: usize| self.comments[number].id);
        let share = |number: u128| ShareId::from(Uuid::from_u128(number));
        match number {
            0 => Act::Heart { post },
            1 => Act::Reaction { post },
            2 => Act::LinkShare { post },
            3 => Act::MessageShare { post, share: share(3) },
            4 => Act::MessageShare { post, share: share(4) },
            5 => Act::Mention { post, comment: None },
            6 => Act::Mention { post, comment: Some(comment(0)) },
            7 => Act::Comment { post, comment: comment(1) },
            8 => Act::Reply { post, comment: comment(2), parent: comment(3) },
            9 => Act::Follow,
            10 => Act::FollowRequest,
            _ => Act::FollowAcceptance,
        }
    }
}

impl<'a> Stage<'a> {
    pub(crate) async fn set(database: &'a TestDatabase, cast: &'a Cast) -> Self {
        let owner = a_user().insert_into(database).await.id;
        let conn = database.connect().await;
        Self { database, cast, conn, owner, inbox: Inbox::new(owner), now: NOON }
    }

    /// What the step came to, in memory and in PostgreSQL.
    pub(crate) async fn play(&mut self, step: &Step) -> (Came, Came) {
        match *step {
            Step::Act(who, act, standing) => self.act(who, self.cast.act(act), standing).await,
            Step::Undo(who, act) => {
                let (actor, act) = (self.cast.people[who].id, self.cast.act(act));
                self.inbox.withdraw(actor, act, self.now);
                let cause = self.cause(who, act);
                self.conn.notifications().withdraw(&[cause], self.now).await.unwrap();
                (0, 0)
            }
            Step::Burst(who, posts) => {
                let (mut in_memory, mut in_postgresql) = (0, 0);
                for post in &self.cast.posts[..posts] {
                    let act = Act::Heart { post: *post };
                    let came = self.act(who, act, Deliverability::Allowed).await;
                    in_memory += came.0;
                    in_postgresql += came.1;
                }
                (in_memory, in_postgresql)
            }
            Step::Change(who, emoji) => {
                let cause = self.cause(who, self.cast.act(1));
                self.inbox.update_reaction(&self.cast.people[who], cause.act, emoji);
                self.conn.notifications().update_reaction(cause, emoji, self.now).await.unwrap();
                (0, 0)
            }
            Step::Read(which) => self.read(which).await,
            Step::ReadAll => {
                let in_memory = self.inbox.mark_all_read(self.now);
                let (owner, now) = (self.owner, self.now);
                let mut notifications = self.conn.notifications();
                let asked = notifications.find_inbox_position(owner).await.unwrap().last_seq;
                let in_postgresql = notifications.mark_all_read(owner, now, asked).await.unwrap();
                (in_memory.try_into().unwrap(), in_postgresql)
            }
            Step::Wait(time) => {
                self.now += time;
                (0, 0)
            }
        }
    }

    /// How much the hourly limit held back.
    async fn act(&mut self, who: usize, act: Act, standing: Deliverability) -> (Came, Came) {
        let event = self.event(self.cause(who, act));
        let before = self.inbox.held_back();
        self.stand(who, act, standing).await;

        self.inbox.record(&event, &self.cast.people[who], standing);
        let recorded = self.conn.notifications().record(&[event]).await.unwrap();

        if standing != Deliverability::Allowed {
            self.stand_as_before().await;
        }
        let held_back = self.inbox.held_back() - before;
        (held_back.try_into().unwrap(), recorded.held_back.len().try_into().unwrap())
    }

    async fn read(&mut self, which: proptest::sample::Index) -> (Came, Came) {
        let ids: Vec<NotificationId> = self.everything_in_memory().iter().map(|it| it.id).collect();
        // Something that is not there may be meant, too.
        let id = ids.get(which.index(ids.len() + 1)).copied().unwrap_or_else(new_id);
        let in_memory = self.inbox.mark_read(id, self.now);
        let read = self.conn.notifications().mark_read(self.owner, id, self.now).await.unwrap();
        (in_memory.into(), read.into())
    }

    async fn stand(&self, who: usize, act: Act, standing: Deliverability) {
        let (owner, actor) = (self.owner, self.cast.people[who].id);
        match standing {
            Deliverability::Allowed => (),
            Deliverability::Blocked if who.is_multiple_of(2) => {
                block(self.database, owner, actor).await
            }
            Deliverability::Blocked => block(self.database, actor, owner).await,
            Deliverability::Muted => {
                let off = format!(r#"{{"notifications": {{"{}": false}}}}"#, act.kind().code());
                let set =
                    format!("UPDATE users SET profile_preferences = '{off}' WHERE id = {owner}");
                self.database.execute(&set).await;
            }
        }
    }

    async fn stand_as_before(&self) {
        self.database
            .execute(&format!(
                "DELETE FROM follows; UPDATE users SET profile_preferences = NULL WHERE id = {}",
                self.owner
            ))
            .await;
    }

    fn cause(&self, who: usize, act: Act) -> Cause {
        Cause { recipient: self.owner, actor: self.cast.people[who].id, act }
    }

    fn event(&self, cause: Cause) -> Event {
        let mut details = match cause.act.post() {
            Some(_) => EventDetails::for_post("For the bus driver"),
            None => EventDetails::default(),
        };
        if cause.act.comment().is_some() {
            details = details.with_comment(&"How lovely ".repeat(20));
        }
        match cause.act {
            Act::Reaction { .. } => details.emoji = Some(Emoji::Hug),
            Act::MessageShare { .. } => {
                details.share_message = ShareMessage::parse("Look").unwrap()
            }
            _ => (),
        }
        Event { cause, details, at: self.now, id: new_id(), batch_id: new_id() }
    }

    fn everything_in_memory(&self) -> Vec<Notification> {
        let with_entries = |top: &Notification| {
            let entries = self.inbox.children(top.id).into_iter().cloned();
            [top.clone()].into_iter().chain(entries).collect::<Vec<_>>()
        };
        self.inbox.top_level().into_iter().flat_map(with_entries).collect()
    }

    /// The list, each with its entries; how many are unread, and how many there are.
    pub(crate) fn seen_in_memory(&self) -> Seen {
        let unread = self.inbox.unread_count().try_into().unwrap();
        let total = self.inbox.top_level().len().try_into().unwrap();
        (self.everything_in_memory(), unread, total)
    }

    /// The same.
    pub(crate) async fn seen_in_postgresql(&mut self) -> Seen {
        let (owner, page) = (self.owner, PageRequest::first(Limit::MAX));
        let mut notifications = self.conn.notifications();
        let list = notifications.list(NotificationQuery::of(owner).page(page)).await.unwrap();
        assert_eq!(list.next, None, "all of it is on one page");
        let mut everything = Vec::new();
        for top in list.items {
            let id = top.notification.id;
            everything.push(top.notification);
            let entries = notifications
                .list(NotificationQuery::of(owner).children_of(id).page(page))
                .await
                .unwrap()
                .items;
            everything.extend(entries.into_iter().map(|it| it.notification));
        }
        let counts = notifications.count(owner).await.unwrap();
        (everything, counts.unread, counts.total)
    }

    /// What is said, as it is written down: nobody has changed their name.
    pub(crate) fn written_in_memory(&self) -> BTreeSet<String> {
        let told = self.everything_in_memory().into_iter();
        told.map(|it| format!("{} {}: {}", it.id, it.text.title, it.text.message)).collect()
    }

    /// The same.
    pub(crate) async fn written_in_postgresql(&mut self) -> BTreeSet<String> {
        let rows = format!(
            "SELECT format('%s %s: %s', id, title, message) AS line FROM notifications WHERE user_id = {}",
            self.owner
        );
        lines(&mut self.conn, &rows).await.into_iter().collect()
    }
}

fn new_id() -> NotificationId {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 | u128::from(number)).into()
}
