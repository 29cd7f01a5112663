//! What the tests of several subjects share.

use std::sync::Arc;

use grateful_application::comments::{self, Say};
use grateful_application::notifications::{self, Listed};
use grateful_application::verify::{Mend, verify};
use grateful_application::{Answer, App, hearts, reactions, shares};
use grateful_domain::notification::SeenNotification;
use grateful_domain::{
    CommentId, CommentText, Emoji, NewShare, NotificationId, Page, Post, PostId, Recipients,
    ShareMessage, UserId,
};
use grateful_testkit::{StoppedClock, TestApp, TestDatabase, a_post, a_user};

/// All of a list, as far as one page reaches.
pub(crate) const ALL: Page = Page::first(grateful_domain::Limit::MAX);

/// Ana, who has written a post, and others who may have something to say about it.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) test: TestDatabase,
    pub(crate) ana: UserId,
    pub(crate) ben: UserId,
    pub(crate) caro: UserId,
    pub(crate) post: Post,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let TestApp { app, test, clock, .. } = TestApp::create().await;
        let ana = person(&test, "ana").await;
        let ben = person(&test, "ben").await;
        let caro = person(&test, "caro").await;
        let post = a_post().by(ana).saying("The bus driver who waited").saved_in(&test).await;
        Self { app, clock, test, ana, ben, caro, post }
    }

    pub(crate) async fn heart(&self, user: UserId) {
        hearts::give(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn unheart(&self, user: UserId) {
        hearts::take_back(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn react(&self, user: UserId, emoji: Emoji) {
        reactions::react(&self.app, user, self.post.id, emoji).await.unwrap();
    }

    pub(crate) async fn unreact(&self, user: UserId) {
        reactions::take_back(&self.app, user, self.post.id).await.unwrap();
    }

    pub(crate) async fn link(&self, user: UserId) {
        self.share(user, NewShare::Url).await;
    }

    /// Sends the post to these people, with a few words.
    pub(crate) async fn send(&self, user: UserId, to: &[UserId]) {
        let ids: Vec<i64> = to.iter().copied().map(i64::from).collect();
        let recipients = Recipients::parse(user, &ids).unwrap();
        let message = ShareMessage::parse("Look at that").unwrap();
        self.share(user, NewShare::Message { recipients, message }).await;
    }

    async fn share(&self, user: UserId, how: NewShare) {
        shares::share(&self.app, user, self.post.id, how, None, |_| Vec::new()).await.unwrap();
    }

    pub(crate) async fn say(&self, user: UserId, text: &str) -> CommentId {
        self.try_say(user, text, None).await.unwrap()
    }

    pub(crate) async fn reply(&self, user: UserId, parent: CommentId, text: &str) -> CommentId {
        self.try_say(user, text, Some(parent)).await.unwrap()
    }

    pub(crate) async fn try_say(
        &self,
        user: UserId,
        text: &str,
        parent: Option<CommentId>,
    ) -> grateful_application::Result<CommentId> {
        let say = Say { post: self.post.id, parent, text: CommentText::parse(text).unwrap() };
        let record = |seen: &grateful_domain::SeenComment| seen.comment.id.to_string().into_bytes();
        let answer = comments::say(&self.app, user, say, None, record).await?;
        let (Answer::First(id) | Answer::Again(id)) = answer;
        Ok(String::from_utf8(id).unwrap().parse::<uuid::Uuid>().unwrap().into())
    }

    /// Somebody's list, newest activity first.
    pub(crate) async fn list(&self, user: UserId) -> Vec<SeenNotification> {
        notifications::list(&self.app, user, Listed::All, ALL).await.unwrap().items
    }

    /// What somebody's list says, newest activity first.
    pub(crate) async fn told(&self, user: UserId) -> Vec<String> {
        self.list(user).await.iter().map(message).collect()
    }

    /// The only notification in somebody's list.
    #[track_caller]
    pub(crate) fn only(&self, list: Vec<SeenNotification>) -> SeenNotification {
        let [only] = list.try_into().unwrap();
        only
    }

    /// What one of somebody's batches gathers, newest first.
    pub(crate) async fn entries(&self, user: UserId, batch: NotificationId) -> Vec<String> {
        let entries = notifications::entries(&self.app, user, batch, ALL).await.unwrap().items;
        entries.iter().map(message).collect()
    }

    /// How many of somebody's list are unread, and how many there are.
    pub(crate) async fn counts(&self, user: UserId) -> (i64, i64) {
        let counts = notifications::count(&self.app, user).await.unwrap();
        (counts.unread, counts.total)
    }

    /// That what is kept of what was told equals what has happened.
    pub(crate) async fn assert_sound(&self) {
        let mut found = Vec::new();
        verify(&self.app, Mend::No, |progress| found.push(format!("{progress:?}"))).await.unwrap();
        found.retain(|progress| progress.contains("Differs"));
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Somebody of this name.
pub(crate) async fn person(test: &TestDatabase, name: &str) -> UserId {
    a_user().named(name).saved_in(test).await.id
}

/// A new public post by somebody.
pub(crate) async fn post_by(test: &TestDatabase, author: UserId) -> PostId {
    a_post().by(author).saved_in(test).await.id
}

pub(crate) fn message(seen: &SeenNotification) -> String {
    seen.notification.text.message.clone()
}

/// Whether it was read.
pub(crate) fn is_read(seen: &SeenNotification) -> bool {
    seen.notification.read_at.is_some()
}
