//! An application with users and a post, and what the users do.

use std::sync::Arc;

use chrono::TimeDelta;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Repair, verify};
use grateful_application::{
    App, IdempotencyKey, IdempotentRequest, RecordedResponse, Result, follows, hearts, posts,
    reactions, shares,
};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, Content, Draft, Emoji, FollowState, Limit,
    Notification, NotificationId, PageRequest, Post, PostForViewer, PostId, PostType, Recipients,
    Relationship, Share, ShareDetails, ShareMessage, UserId, Visibility,
};
use grateful_test_database::{TestDatabase, a_post, create_user_named, require_follow_approval};

use crate::{FakeClock, TestApp};

/// The first page of a list, with as many items as a page can have.
pub const MAX_PAGE: PageRequest = PageRequest::first(Limit::MAX);

/// A [`TestApp`] with four users, and a public post.
pub struct Scenario {
    /// The application.
    pub app: App,
    /// The clock of [`Self::app`].
    pub clock: Arc<FakeClock>,
    /// The database of [`Self::app`].
    pub database: TestDatabase,
    /// The author of [`Self::post`].
    pub ana: UserId,
    /// A user.
    pub ben: UserId,
    /// Another user.
    pub caro: UserId,
    /// A user who approves followers.
    pub sue: UserId,
    /// A public post, "The bus driver who waited".
    pub post: Post,
}

impl Scenario {
    /// Creates the application, the users and the post.
    pub async fn create() -> Self {
        let TestApp { app, database, clock, .. } = TestApp::create().await;
        let ana = create_user_named(&database, "ana").await;
        let ben = create_user_named(&database, "ben").await;
        let caro = create_user_named(&database, "caro").await;
        let sue = create_user_named(&database, "sue").await;
        require_follow_approval(&database, sue).await;
        let post =
            a_post().by(ana).with_text("The bus driver who waited").insert_into(&database).await;
        Self { app, clock, database, ana, ben, caro, sue, post }
    }

    /// Advances the clock by a minute.
    pub fn advance_a_minute(&self) {
        self.clock.advance(TimeDelta::minutes(1));
    }

    /// Adds a heart to the post.
    pub async fn add_heart(&self, user: UserId) {
        hearts::add(&self.app, user, self.post.id).await.unwrap();
    }

    /// Removes the heart from the post.
    pub async fn remove_heart(&self, user: UserId) {
        hearts::remove(&self.app, user, self.post.id).await.unwrap();
    }

    /// Sets the reaction to the post.
    pub async fn set_reaction(&self, user: UserId, emoji: Emoji) {
        reactions::set(&self.app, user, self.post.id, emoji).await.unwrap();
    }

    /// Removes the reaction to the post.
    pub async fn remove_reaction(&self, user: UserId) {
        reactions::remove(&self.app, user, self.post.id).await.unwrap();
    }

    /// Shares the post by link.
    pub async fn share_link(&self, user: UserId) {
        create_share(&self.app, user, self.post.id, ShareDetails::Url, None).await.unwrap();
    }

    /// Sends the post to these users.
    pub async fn send_message(&self, user: UserId, to: &[UserId]) {
        create_share(&self.app, user, self.post.id, message_to(user, to), None).await.unwrap();
    }

    /// Comments on the post.
    pub async fn comment(&self, user: UserId, text: &str) -> CommentId {
        self.try_comment(user, text, None).await.unwrap()
    }

    /// Comments on another post.
    pub async fn comment_on(&self, post: PostId, user: UserId, text: &str) -> CommentId {
        create_comment(&self.app, user, post, text, None).await.unwrap()
    }

    /// Replies to a comment on the post.
    pub async fn reply(&self, user: UserId, parent: CommentId, text: &str) -> CommentId {
        self.try_comment(user, text, Some(parent)).await.unwrap()
    }

    /// Comments on the post, or replies to `parent`.
    pub async fn try_comment(
        &self,
        user: UserId,
        text: &str,
        parent: Option<CommentId>,
    ) -> Result<CommentId> {
        create_comment(&self.app, user, self.post.id, text, parent).await
    }

    /// Makes `follower` follow `followed`, or request it.
    pub async fn follow(&self, follower: UserId, followed: UserId) {
        follows::follow(&self.app, follower, followed).await.unwrap();
    }

    /// Ends a follow or a request.
    pub async fn unfollow(&self, follower: UserId, followed: UserId) {
        follows::unfollow(&self.app, follower, followed).await.unwrap();
    }

    /// Makes `blocker` block `blocked`.
    pub async fn block(&self, blocker: UserId, blocked: UserId) {
        follows::block(&self.app, blocker, blocked).await.unwrap();
    }

    /// Returns the outgoing and the incoming follow state of `viewer`.
    pub async fn relationship(&self, viewer: UserId, other: UserId) -> (FollowState, FollowState) {
        let Relationship { outgoing, incoming } =
            follows::get_relationship(&self.app, viewer, other).await.unwrap();
        (outgoing, incoming)
    }

    /// Lists the notifications of a user.
    pub async fn list(&self, user: UserId) -> Vec<RenderedNotification> {
        notifications::list(&self.app, user, ReadFilter::All, MAX_PAGE).await.unwrap().items
    }

    /// Lists the notifications of a user as they are stored.
    pub async fn list_stored(&self, user: UserId) -> Vec<Notification> {
        let list = self.list(user).await;
        list.into_iter().map(|rendered| rendered.notification).collect()
    }

    /// Returns the messages of the notifications of a user.
    pub async fn messages(&self, user: UserId) -> Vec<String> {
        self.list(user).await.into_iter().map(|rendered| rendered.text.message).collect()
    }

    /// Returns the only notification of a user.
    pub async fn only_notification(&self, user: UserId) -> RenderedNotification {
        let [only] = self.list(user).await.try_into().unwrap();
        only
    }

    /// Returns the messages of the notifications of a batch.
    pub async fn child_messages(&self, user: UserId, batch: NotificationId) -> Vec<String> {
        let children =
            notifications::list_children(&self.app, user, batch, MAX_PAGE).await.unwrap().items;
        children.into_iter().map(|rendered| rendered.text.message).collect()
    }

    /// Marks all notifications of a user read.
    pub async fn mark_all_read(&self, user: UserId) {
        notifications::mark_all_read(&self.app, user).await.unwrap();
    }

    /// Counts the unread and all notifications of a user.
    pub async fn counts(&self, user: UserId) -> (i64, i64) {
        let counts = notifications::count(&self.app, user).await.unwrap();
        (counts.unread, counts.total)
    }

    /// Makes every step of a background job fail at its end, so that it changes nothing, as if no node had run it yet.
    pub async fn fail_background_jobs(&self) {
        let fail = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER fail BEFORE DELETE ON background_jobs FOR EACH ROW EXECUTE FUNCTION fail()";
        self.database.execute(fail).await;
    }

    /// Asserts that no stored count differs from its rows, and that no notification is missing.
    pub async fn assert_consistent(&self) {
        assert_consistent(&self.app).await;
    }
}

/// Asserts that no stored count differs from its rows, and that no notification is missing.
pub async fn assert_consistent(app: &App) {
    let mut found = Vec::new();
    verify(app, Repair::No, |progress| found.push(format!("{progress:?}"))).await.unwrap();
    found.retain(|progress| !progress.starts_with("Verified"));
    assert!(found.is_empty(), "{found:#?}");
}

/// Returns the details of a message share with the text "Look at that".
pub fn message_to(sender: UserId, recipients: &[UserId]) -> ShareDetails {
    let ids: Vec<i64> = recipients.iter().copied().map(i64::from).collect();
    let recipients = Recipients::parse(sender, &ids).unwrap();
    ShareDetails::Message { recipients, message: ShareMessage::parse("Look at that").unwrap() }
}

/// Shares a post. The recorded response is the id of the share.
pub async fn create_share(
    app: &App,
    user: UserId,
    post: PostId,
    details: ShareDetails,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let to_response = |share: &Share| share.id.to_string().into_bytes();
    shares::create(app, user, post, details, idempotency, to_response).await
}

/// Creates a comment, or a reply if `parent` is given.
pub async fn create_comment(
    app: &App,
    author: UserId,
    post: PostId,
    text: &str,
    parent: Option<CommentId>,
) -> Result<CommentId> {
    let draft = CommentDraft { post, parent, text: CommentText::parse(text).unwrap() };
    Ok(recorded_id(&create_comment_idempotently(app, author, draft, None).await?))
}

/// Creates a comment. The recorded response is its id.
pub async fn create_comment_idempotently(
    app: &App,
    author: UserId,
    draft: CommentDraft,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let to_response = |comment: &CommentForViewer| comment.comment.id.to_string().into_bytes();
    comments::create(app, author, draft, idempotency, to_response).await
}

/// Creates a post.
pub async fn create_post(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
) -> Result<PostId> {
    let to_response = |post: &PostForViewer| post.post.id.to_string().into_bytes();
    Ok(recorded_id(&posts::create(app, author, draft, idempotency, to_response).await?))
}

/// Returns a public daily post with this content and no title, image or location.
pub fn draft(content: &str) -> Draft {
    Draft {
        title: None,
        content: Content::parse(content, PostType::Daily).unwrap(),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    }
}

/// Returns a request with this idempotency key. Requests of different versions have different fingerprints.
pub fn idempotent_request(key: &str, version: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse(key).unwrap(), fingerprint: [version; 32] }
}

/// Parses the id that a use case recorded as its response.
pub fn recorded_id<Id: From<uuid::Uuid>>(response: &RecordedResponse) -> Id {
    let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) = response;
    uuid::Uuid::try_parse_ascii(id).unwrap().into()
}
