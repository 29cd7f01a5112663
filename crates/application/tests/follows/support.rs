//! What the tests of several subjects share.

use std::sync::Arc;

use chrono::TimeDelta;
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Progress, Repair, verify};
use grateful_application::{App, follows};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{FollowState, PageRequest, Relationship, UserId};
use grateful_testkit::{FakeClock, TestApp, TestDatabase, a_user};

/// All of a list, as far as one page reaches.
pub(crate) const ALL: PageRequest = PageRequest::first(grateful_domain::Limit::MAX);

/// Ana, Ben and Caro, whom anybody may follow, and Sue, who is asked before.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) database: TestDatabase,
    pub(crate) ana: UserId,
    pub(crate) ben: UserId,
    pub(crate) caro: UserId,
    pub(crate) sue: UserId,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let TestApp { app, database, clock, .. } = TestApp::create().await;
        let ana = person(&database, "ana").await;
        let ben = person(&database, "ben").await;
        let caro = person(&database, "caro").await;
        let sue = person(&database, "sue").await;
        shy(&database, sue).await;
        Self { app, clock, database, ana, ben, caro, sue }
    }

    pub(crate) async fn follow(&self, who: UserId, whom: UserId) {
        follows::follow(&self.app, who, whom).await.unwrap();
    }

    pub(crate) async fn unfollow(&self, who: UserId, whom: UserId) {
        follows::unfollow(&self.app, who, whom).await.unwrap();
    }

    pub(crate) async fn block(&self, who: UserId, whom: UserId) {
        follows::block(&self.app, who, whom).await.unwrap();
    }

    pub(crate) async fn relation(&self, one: UserId, other: UserId) -> (FollowState, FollowState) {
        let Relationship { outgoing: there, incoming: back } =
            follows::get_relationship(&self.app, one, other).await.unwrap();
        (there, back)
    }

    pub(crate) fn a_minute_later(&self) {
        self.clock.advance(TimeDelta::minutes(1));
    }

    /// Somebody's list, newest activity first.
    pub(crate) async fn list(&self, user: UserId) -> Vec<RenderedNotification> {
        notifications::list(&self.app, user, ReadFilter::All, ALL).await.unwrap().items
    }

    /// What somebody's list says, newest activity first.
    pub(crate) async fn told(&self, user: UserId) -> Vec<String> {
        let list = self.list(user).await;
        list.into_iter().map(|seen| seen.notification.text.message).collect()
    }

    pub(crate) async fn assert_sound(&self) {
        assert_sound(&self.app).await;
    }
}

/// Somebody of this name.
pub(crate) async fn person(database: &TestDatabase, name: &str) -> UserId {
    a_user().with_username(name).insert_into(database).await.id
}

/// Has somebody be asked before others follow them.
pub(crate) async fn shy(database: &TestDatabase, person: UserId) {
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id ="#;
    database.execute(&format!("{sql} {person}")).await;
}

/// That every number equals its rows, and what was told what has happened.
pub(crate) async fn assert_sound(app: &App) {
    let mut found = Vec::new();
    verify(app, Repair::No, |progress| {
        if let Progress::Mismatch(difference) = progress {
            found.push(format!("{difference:?}"));
        }
    })
    .await
    .unwrap();
    assert_eq!(found, [] as [String; 0]);
}
