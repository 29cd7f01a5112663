//! The inbox in memory and the one in PostgreSQL, side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{
    Act, Cause, Deliverability, Event, EventDetails, InboxUpdate, NotificationCounts, QuotedTexts,
    RenderedNotification,
};
use grateful_domain::{
    Author, Comment, Emoji, Inbox, Limit, Notification, NotificationId, PageRequest, PostId,
    ShareId, ShareMessage, UserId,
};
use grateful_storage::{Connection, NotificationQuery, NotificationRead, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_comment, a_post, a_user, block};
use uuid::Uuid;

use crate::steps::{ACTORS, GroupAct, POSTS, Step};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// The rows that the indexes of a step refer to. All posts have the same text.
pub(crate) struct Fixture {
    actors: Vec<Author>,
    post_text: String,
    posts: Vec<PostId>,
    comments: Vec<Comment>,
}

/// The inboxes of a new user in memory and in PostgreSQL.
pub(crate) struct Scenario<'a> {
    database: &'a TestDatabase,
    fixture: &'a Fixture,
    conn: Connection,
    owner: UserId,
    inbox: Inbox,
    now: DateTime<Utc>,
}

/// All notifications of a list, each followed by its children, the counts of the inbox, and the number of acts without a
/// notification.
type ListState = (Vec<RenderedNotification>, NotificationCounts, i64);

/// Sorts the actors by id. PostgreSQL lists those first that the owner follows.
fn with_sorted_actors(mut rendered: RenderedNotification) -> RenderedNotification {
    rendered.actors.sort_by_key(|actor| actor.id);
    rendered
}

/// The result of a step; what the number counts depends on the step.
type StepResult = i64;

impl Fixture {
    pub(crate) async fn create(database: &TestDatabase) -> Self {
        let (mut actors, mut posts, mut comments) = (vec![], vec![], vec![]);
        for _ in 0..ACTORS {
            let user = a_user().insert_into(database).await;
            let author = database.connect().await.users().find_author(user.id).await.unwrap();
            actors.push(author.unwrap());
        }
        let post_text = "For the bus driver ".repeat(8);
        for _ in 0..POSTS {
            let post = a_post().by(actors[0].id).with_text(&post_text);
            posts.push(post.insert_into(database).await);
        }
        for _ in 0..4 {
            comments.push(a_comment().on(&posts[0]).insert_into(database).await);
        }
        let posts = posts.into_iter().map(|post| post.id).collect();
        Self { actors, post_text, posts, comments }
    }

    fn act(&self, index: usize) -> Act {
        let (post, comment) = (self.posts[0], |number: usize| self.comments[number].id);
        let share = |number: u128| ShareId::from(Uuid::from_u128(number));
        match index {
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

impl<'a> Scenario<'a> {
    pub(crate) async fn create(database: &'a TestDatabase, fixture: &'a Fixture) -> Self {
        let owner = a_user().insert_into(database).await.id;
        let conn = database.connect().await;
        Self { database, fixture, conn, owner, inbox: Inbox::new(owner), now: NOON }
    }

    /// Runs a step, and returns its results in memory and in PostgreSQL.
    pub(crate) async fn run_step(&mut self, step: &Step) -> (StepResult, StepResult) {
        match *step {
            Step::Act(actor, act, deliverability) => {
                self.act(actor, self.fixture.act(act), deliverability).await
            }
            Step::Withdraw(index, act) => {
                let (actor, act) = (self.fixture.actors[index].id, self.fixture.act(act));
                self.inbox.withdraw(actor, &act, self.now);
                let cause = self.cause(index, act);
                self.conn.notifications().withdraw(&[cause], self.now).await.unwrap();
                (0, 0)
            }
            Step::Burst(actor, posts) => {
                let (mut in_memory, mut in_postgresql) = (0, 0);
                for post in &self.fixture.posts[..posts] {
                    let act = Act::Heart { post: *post };
                    let result = self.act(actor, act, Deliverability::Allowed).await;
                    in_memory += result.0;
                    in_postgresql += result.1;
                }
                (in_memory, in_postgresql)
            }
            Step::UpdateReaction(actor, emoji) => {
                let cause = self.cause(actor, self.fixture.act(1));
                let details = EventDetails::of_emoji(emoji);
                self.update(&[InboxUpdate::ChangeDetails { cause, details }]).await
            }
            Step::Group(ref acts) => {
                let updates: Vec<_> = acts.iter().map(|act| self.group_update(act)).collect();
                self.update(&updates).await
            }
            Step::MarkRead(index) => self.mark_read(index).await,
            Step::MarkAllRead => {
                let in_memory = self.inbox.mark_all_read(self.now);
                let (owner, now) = (self.owner, self.now);
                let mut notifications = self.conn.notifications();
                let last_seq = notifications.find_inbox_position(owner).await.unwrap().last_seq;
                let in_postgresql =
                    notifications.mark_all_read(owner, now, last_seq).await.unwrap().0;
                (in_memory, in_postgresql)
            }
            Step::Advance(time) => {
                self.now += time;
                (0, 0)
            }
        }
    }

    /// Records an event, and returns how many the hourly limit held back.
    async fn act(
        &mut self,
        actor: usize,
        act: Act,
        deliverability: Deliverability,
    ) -> (StepResult, StepResult) {
        let event = self.event(self.cause(actor, act));
        let before = self.inbox.held_back();
        self.apply_deliverability(actor, act, deliverability).await;

        self.inbox.record(&event, deliverability);
        let recorded = self.conn.notifications().record(&[event]).await.unwrap();

        if deliverability != Deliverability::Allowed {
            self.reset_deliverability().await;
        }
        let held_back = self.inbox.held_back() - before;
        (held_back, recorded.held_back.len().try_into().unwrap())
    }

    /// Applies updates one after another in memory, and together in PostgreSQL.
    async fn update(&mut self, updates: &[InboxUpdate]) -> (StepResult, StepResult) {
        let before = self.inbox.held_back();
        for update in updates {
            self.inbox.update(update, Deliverability::Allowed);
        }
        let result = self.conn.notifications().update(updates).await.unwrap();
        let held_back = self.inbox.held_back() - before;
        (held_back, result.held_back.len().try_into().unwrap())
    }

    /// The acts of a group are a second apart.
    fn group_update(&mut self, act: &GroupAct) -> InboxUpdate {
        self.now += TimeDelta::seconds(1);
        match *act {
            GroupAct::Act(actor, act) => {
                InboxUpdate::Record(self.event(self.cause(actor, self.fixture.act(act))))
            }
            GroupAct::Heart(actor, post) => {
                let act = Act::Heart { post: self.fixture.posts[post] };
                InboxUpdate::Record(self.event(self.cause(actor, act)))
            }
            GroupAct::Withdraw(actor, act) => {
                let cause = self.cause(actor, self.fixture.act(act));
                InboxUpdate::Withdraw { cause, at: self.now }
            }
            GroupAct::ChangeEmoji(actor, emoji) => {
                let cause = self.cause(actor, self.fixture.act(1));
                InboxUpdate::ChangeDetails { cause, details: EventDetails::of_emoji(emoji) }
            }
        }
    }

    async fn mark_read(&mut self, index: proptest::sample::Index) -> (StepResult, StepResult) {
        let ids: Vec<NotificationId> =
            self.all_in_memory().iter().map(|notification| notification.id).collect();
        // The id may also be unknown.
        let id = ids.get(index.index(ids.len() + 1)).copied().unwrap_or_else(new_id);
        let in_memory = self.inbox.mark_read(id, self.now);
        let read = NotificationRead { owner: self.owner, id, at: self.now };
        let [found] = self.conn.notifications().mark_read(&[read]).await.unwrap()[..] else {
            panic!()
        };
        (in_memory.into(), found.into())
    }

    async fn apply_deliverability(&self, index: usize, act: Act, deliverability: Deliverability) {
        let (owner, actor) = (self.owner, self.fixture.actors[index].id);
        match deliverability {
            Deliverability::Allowed => (),
            Deliverability::Blocked if index.is_multiple_of(2) => {
                block(self.database, owner, actor).await;
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

    async fn reset_deliverability(&self) {
        self.database
            .execute(&format!(
                "DELETE FROM follows; UPDATE users SET profile_preferences = NULL WHERE id = {}",
                self.owner
            ))
            .await;
    }

    fn cause(&self, actor: usize, act: Act) -> Cause {
        Cause { recipient: self.owner, actor: self.fixture.actors[actor].id, act }
    }

    fn event(&self, cause: Cause) -> Event {
        let mut details = EventDetails::default();
        match cause.act {
            Act::Reaction { .. } => details.emoji = Some(Emoji::Hug),
            Act::MessageShare { .. } => {
                details.share_message = ShareMessage::parse("Look").unwrap();
            }
            _ => (),
        }
        Event { cause, details, at: self.now, id: new_id(), batch_id: new_id() }
    }

    fn all_in_memory(&self) -> Vec<Notification> {
        let with_children = |parent: &Notification| {
            let children = self.inbox.children(parent.id).into_iter().cloned();
            [parent.clone()].into_iter().chain(children).collect::<Vec<_>>()
        };
        self.inbox.top_level().into_iter().flat_map(with_children).collect()
    }

    /// The list in memory.
    pub(crate) fn list_in_memory(&self) -> ListState {
        let counts = self.inbox.counts();
        let all = self.all_in_memory();
        let suppressed = self.inbox.suppressed().count().try_into().unwrap();
        (all.iter().map(|notification| self.render(notification)).collect(), counts, suppressed)
    }

    fn render(&self, notification: &Notification) -> RenderedNotification {
        let comment_text = |id| {
            let comment = self.fixture.comments.iter().find(|comment| comment.id == id);
            comment.map(|comment| comment.text.as_str().to_owned())
        };
        let quoted = QuotedTexts {
            post: notification.subject.post.map(|_| self.fixture.post_text.clone()),
            comment: notification.subject.comment.and_then(comment_text),
        };
        let author_of = |id| self.fixture.actors.iter().find(|actor| actor.id == id).cloned();
        with_sorted_actors(self.inbox.render(notification, &quoted, author_of))
    }

    /// The list in PostgreSQL.
    pub(crate) async fn list_in_postgresql(&mut self) -> ListState {
        let (owner, page) = (self.owner, PageRequest::first(Limit::MAX));
        let mut notifications = self.conn.notifications();
        let list = notifications.list(NotificationQuery::of(owner).page(page)).await.unwrap();
        assert_eq!(list.next, None, "the list fits on one page");
        let mut all = Vec::new();
        for parent in list.items {
            let id = parent.notification.id;
            all.push(with_sorted_actors(parent));
            let children = notifications
                .list(NotificationQuery::of(owner).children_of(id).page(page))
                .await
                .unwrap()
                .items;
            all.extend(children);
        }
        let counts = notifications.find_counts(owner).await.unwrap();
        let suppressed = format!("suppressed_notifications WHERE user_id = {owner}");
        (all, counts, self.database.count(&suppressed).await)
    }
}

fn new_id() -> NotificationId {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 | u128::from(number)).into()
}
