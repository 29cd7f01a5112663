//! What people are to each other, for which there is no repository yet.

use grateful_domain::UserId;
use grateful_testkit::TestDatabase;

/// Makes the one follow the other with this status; `blocked` says that the other has blocked them.
pub(crate) async fn relate(database: &TestDatabase, one: UserId, other: UserId, status: &str) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {one}, {other}, '{status}')"
        ))
        .await;
}
