//! Shared helpers.

use std::sync::Arc;

use chrono::TimeDelta;
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Progress, Repair, verify};
use grateful_application::{App, follows};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{FollowState, PageRequest, Relationship, UserId};
use grateful_testkit::{FakeClock, TestApp, TestDatabase, a_user};

/// The first page, at the maximum size.
pub(crate) const MAX_PAGE: PageRequest = PageRequest::first(grateful_domain::Limit::MAX);

/// Ana, Ben and Caro, who can be followed without approval, and Sue, who approves her followers.
pub(crate) struct Scenario {
    pub(crate) app: App,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) database: TestDatabase,
    pub(crate) ana: UserId,
    pub(crate) ben: UserId,
    pub(crate) caro: UserId,
    pub(crate) sue: UserId,
}

impl Scenario {
    pub(crate) async fn create() -> Self {
        let TestApp { app, database, clock, .. } = TestApp::create().await;
        let ana = create_user_named(&database, "ana").await;
        let ben = create_user_named(&database, "ben").await;
        let caro = create_user_named(&database, "caro").await;
        let sue = create_user_named(&database, "sue").await;
        require_follow_approval(&database, sue).await;
        Self { app, clock, database, ana, ben, caro, sue }
    }

    pub(crate) async fn follow(&self, follower: UserId, followed: UserId) {
        follows::follow(&self.app, follower, followed).await.unwrap();
    }

    pub(crate) async fn unfollow(&self, follower: UserId, followed: UserId) {
        follows::unfollow(&self.app, follower, followed).await.unwrap();
    }

    pub(crate) async fn block(&self, blocker: UserId, blocked: UserId) {
        follows::block(&self.app, blocker, blocked).await.unwrap();
    }

    /// The follow state from `viewer` to `other`, and the one back.
    pub(crate) async fn relationship(
        &self,
        viewer: UserId,
        other: UserId,
    ) -> (FollowState, FollowState) {
        let Relationship { outgoing, incoming } =
            follows::get_relationship(&self.app, viewer, other).await.unwrap();
        (outgoing, incoming)
    }

    pub(crate) fn advance_a_minute(&self) {
        self.clock.advance(TimeDelta::minutes(1));
    }

    /// The user's notifications, newest activity first.
    pub(crate) async fn list(&self, user: UserId) -> Vec<RenderedNotification> {
        notifications::list(&self.app, user, ReadFilter::All, MAX_PAGE).await.unwrap().items
    }

    /// The messages of the user's notifications, newest activity first.
    pub(crate) async fn messages(&self, user: UserId) -> Vec<String> {
        let list = self.list(user).await;
        list.into_iter().map(|rendered| rendered.text.message).collect()
    }

    pub(crate) async fn assert_consistent(&self) {
        assert_consistent(&self.app).await;
    }
}

pub(crate) async fn create_user_named(database: &TestDatabase, name: &str) -> UserId {
    a_user().with_username(name).insert_into(database).await.id
}

/// Turns on follow approval for a user.
pub(crate) async fn require_follow_approval(database: &TestDatabase, user: UserId) {
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id ="#;
    database.execute(&format!("{sql} {user}")).await;
}

/// Asserts that all cached counts equal their rows, and that notifications match the acts.
pub(crate) async fn assert_consistent(app: &App) {
    let mut mismatches = Vec::new();
    verify(app, Repair::No, |progress| {
        if matches!(progress, Progress::Mismatch(_) | Progress::MissingNotification(_)) {
            mismatches.push(format!("{progress:?}"));
        }
    })
    .await
    .unwrap();
    assert_eq!(mismatches, [] as [String; 0]);
}
