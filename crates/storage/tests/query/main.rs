//! What the query builders answer, held against the same computed from all rows: every order, every condition, every total,
//! for everybody who may look.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support"]
mod support {
    pub(crate) mod follows;
}

mod dataset;
mod follows;
mod multi_key;
mod post_lists;
mod posts;
mod users;

/// What is asked for can be awaited in any thread.
#[test]
fn whatever_is_asked_can_be_spawned() {
    fn can_be_sent(_: impl Send) {}
    use grateful_domain::{UserId, Viewer};
    use grateful_storage::{
        Connection, FollowQuery, NotificationQuery, PostQuery, Repositories, UserQuery,
    };

    #[expect(dead_code, reason = "it has to compile, and nothing else")]
    fn lists(conn: &mut Connection) {
        let (viewer, user) = (Viewer::Guest, UserId::from(1));
        can_be_sent(async move {
            conn.posts().list(PostQuery::visible_to(viewer).by_rank()).await?;
            conn.posts().list(PostQuery::visible_to(viewer).by_followed()).await?;
            conn.users().list(UserQuery::visible_to(viewer)).await?;
            conn.follows().list(FollowQuery::visible_to(user).blocks()).await?;
            conn.notifications().list(NotificationQuery::of(user)).await
        });
    }
}
