//! Shared helpers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection as _;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Repair, verify};
use grateful_application::{
    App, IdempotentRequest, RecordedResponse, Result, hearts, posts, reactions, shares,
};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, RenderedNotification};
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, Content, Draft, Emoji, Notification, NotificationId,
    PageRequest, Post, PostForViewer, PostId, PostType, Recipients, ShareDetails, ShareMessage,
    UserId, Visibility,
};
use grateful_storage::Connection;
use grateful_testkit::{FakeClock, TestApp, TestDatabase, a_post, a_user};

/// The first page, at the maximum size.
pub(crate) const MAX_PAGE: PageRequest = PageRequest::first(grateful_domain::Limit::MAX);

/// Ana, who is the author of a post, and two other users.
pub(crate) struct Scenario {
    pub(crate) app: App,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) database: TestDatabase,
    pub(crate) ana: UserId,
    pub(crate) ben: UserId,
    pub(crate) caro: UserId,
    pub(crate) post: Post,
}

impl Scenario {
    pub(crate) async fn create() -> Self {
        let TestApp { app, database, clock, .. } = TestApp::create().await;
        let ana = create_user_named(&database, "ana").await;
        let ben = create_user_named(&database, "ben").await;
        let caro = create_user_named(&database, "caro").await;
        let post =
            a_post().by(ana).with_text("The bus driver who waited").insert_into(&database).await;
        Self { app, clock, database, ana, ben, caro, post }
    }

    pub(crate) async fn add_heart(&self, user: UserId) {
        hearts::add(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn remove_heart(&self, user: UserId) {
        hearts::remove(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn set_reaction(&self, user: UserId, emoji: Emoji) {
        reactions::set(&self.app, user, self.post.id, emoji).await.unwrap();
    }

    pub(crate) async fn remove_reaction(&self, user: UserId) {
        reactions::remove(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn share_link(&self, user: UserId) {
        self.share(user, ShareDetails::Url).await;
    }

    /// Shares the post with these recipients by message.
    pub(crate) async fn send_message(&self, user: UserId, to: &[UserId]) {
        let ids: Vec<i64> = to.iter().copied().map(i64::from).collect();
        let recipients = Recipients::parse(user, &ids).unwrap();
        let message = ShareMessage::parse("Look at that").unwrap();
        self.share(user, ShareDetails::Message { recipients, message }).await;
    }

    async fn share(&self, user: UserId, details: ShareDetails) {
        shares::create(&self.app, user, self.post.id, details, None, |_| Vec::new()).await.unwrap();
    }

    pub(crate) async fn comment(&self, user: UserId, text: &str) -> CommentId {
        self.try_comment(user, text, None).await.unwrap()
    }

    /// Comments on another post.
    pub(crate) async fn comment_on(&self, post: PostId, user: UserId, text: &str) -> CommentId {
        create_comment(&self.app, user, post, text, None).await.unwrap()
    }

    pub(crate) async fn reply(&self, user: UserId, parent: CommentId, text: &str) -> CommentId {
        self.try_comment(user, text, Some(parent)).await.unwrap()
    }

    pub(crate) async fn try_comment(
        &self,
        user: UserId,
        text: &str,
        parent: Option<CommentId>,
    ) -> Result<CommentId> {
        create_comment(&self.app, user, self.post.id, text, parent).await
    }

    /// The notifications of a user, latest activity first.
    pub(crate) async fn list(&self, user: UserId) -> Vec<RenderedNotification> {
        notifications::list(&self.app, user, ReadFilter::All, MAX_PAGE).await.unwrap().items
    }

    /// The same without what is rendered from other tables.
    pub(crate) async fn list_stored(&self, user: UserId) -> Vec<Notification> {
        let list = self.list(user).await;
        list.into_iter().map(|rendered| rendered.notification).collect()
    }

    /// The messages of a user's notifications, latest activity first.
    pub(crate) async fn messages(&self, user: UserId) -> Vec<String> {
        self.list(user).await.iter().map(message_of).collect()
    }

    /// The only notification of a user.
    pub(crate) async fn only_notification(&self, user: UserId) -> RenderedNotification {
        let [only] = self.list(user).await.try_into().unwrap();
        only
    }

    /// The messages of a batch's children, newest first.
    pub(crate) async fn child_messages(&self, user: UserId, batch: NotificationId) -> Vec<String> {
        let children =
            notifications::list_children(&self.app, user, batch, MAX_PAGE).await.unwrap().items;
        children.iter().map(message_of).collect()
    }

    pub(crate) async fn mark_all_read(&self, user: UserId) {
        notifications::mark_all_read(&self.app, user).await.unwrap();
    }

    /// The numbers of unread and of all notifications of a user.
    pub(crate) async fn counts(&self, user: UserId) -> (i64, i64) {
        let counts = notifications::count(&self.app, user).await.unwrap();
        (counts.unread, counts.total)
    }

    /// Asserts that notifications and cached counts match the acts.
    pub(crate) async fn assert_consistent(&self) {
        let mut found = Vec::new();
        verify(&self.app, Repair::No, |progress| found.push(format!("{progress:?}")))
            .await
            .unwrap();
        found.retain(|progress| !progress.starts_with("Verified"));
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Comments on a post, or replies to a comment on it.
pub(crate) async fn create_comment(
    app: &App,
    author: UserId,
    post: PostId,
    text: &str,
    parent: Option<CommentId>,
) -> Result<CommentId> {
    let draft = CommentDraft { post, parent, text: CommentText::parse(text).unwrap() };
    let to_response = |comment: &CommentForViewer| comment.comment.id.to_string().into_bytes();
    let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) =
        comments::create(app, author, draft, None, to_response).await?;
    Ok(String::from_utf8(id).unwrap().parse::<uuid::Uuid>().unwrap().into())
}

/// Creates a post with the use case.
pub(crate) async fn try_create_post(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
) -> Result<PostId> {
    let to_response = |post: &PostForViewer| post.post.id.to_string().into_bytes();
    let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) =
        posts::create(app, author, draft, idempotency, to_response).await?;
    Ok(String::from_utf8(id).unwrap().parse::<uuid::Uuid>().unwrap().into())
}

/// A draft of a public post with this text.
pub(crate) fn draft(text: &str) -> Draft {
    Draft {
        title: None,
        content: Content::parse(text, PostType::Daily).unwrap(),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    }
}

/// Creates a user with this username.
pub(crate) async fn create_user_named(database: &TestDatabase, name: &str) -> UserId {
    a_user().with_username(name).insert_into(database).await.id
}

/// Inserts a public post without the use case.
pub(crate) async fn insert_post(database: &TestDatabase, author: UserId) -> PostId {
    a_post().by(author).insert_into(database).await.id
}

/// Builds an event to record without a use case, for example while another use case runs.
pub(crate) fn event(recipient: UserId, actor: UserId, act: Act, at: DateTime<Utc>) -> Event {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let new_id =
        || uuid::Uuid::from_u64_pair(0x0195_0000_0000_7000, NUMBER.fetch_add(1, Relaxed)).into();
    let details = EventDetails::default();
    Event { cause: Cause { recipient, actor, act }, details, at, id: new_id(), batch_id: new_id() }
}

/// Commits a transaction as soon as another statement waits for one of its locks.
pub(crate) async fn commit_once_blocking(database: &TestDatabase, mut tx: Connection) {
    let blocked_statements =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(blocked_statements).await == 0 {
        assert!(Instant::now() < deadline, "no statement waits");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tx.batch_execute("COMMIT").await.unwrap();
}

pub(crate) fn message_of(rendered: &RenderedNotification) -> String {
    rendered.text.message.clone()
}

pub(crate) fn is_read(rendered: &RenderedNotification) -> bool {
    rendered.notification.read_at.is_some()
}
