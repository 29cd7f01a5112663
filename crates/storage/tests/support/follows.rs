//! Writes rows of `follows` that the repositories would not write in this order.

use grateful_domain::UserId;
use grateful_test_database::TestDatabase;

/// Inserts a follow from `follower` to `followed` with this status. With `blocked`, `followed` blocks `follower`.
pub(crate) async fn insert_follow(
    database: &TestDatabase,
    follower: UserId,
    followed: UserId,
    status: &str,
) {
    database
        .execute(&format!(
            "INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {follower}, {followed}, '{status}')"
        ))
        .await;
}
