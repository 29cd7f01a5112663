//! Results of the query builders, compared with the same computed from all rows, for every viewer.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support"]
mod support {
    pub(crate) mod follows;
}

mod dataset;
mod follows;
mod multi_key;
mod post_lists;
mod users;

/// Futures of queries can be awaited on any thread.
#[test]
fn futures_of_queries_are_send() {
    fn assert_send(_: impl Send) {}
    use grateful_domain::{UserId, Viewer};
    use grateful_storage::{
        Connection, FollowQuery, NotificationQuery, PostQuery, Repositories, UserQuery,
    };

    #[expect(dead_code, reason = "it only has to compile")]
    fn lists(conn: &mut Connection) {
        let (viewer, user) = (Viewer::Guest, UserId::from(1));
        assert_send(async move {
            conn.posts().list(PostQuery::visible_to(viewer)).await?;
            conn.users().list(UserQuery::visible_to(viewer)).await?;
            conn.follows().list(FollowQuery::visible_to(user).blocks()).await?;
            conn.notifications().list(NotificationQuery::of(user)).await
        });
    }
}
