//! The statements that hearts, reactions, shares and comments have in common: they change rows of posts, and add what really
//! changed to a counter of these posts.

use grateful_domain::{PostId, UserId};
use uuid::Uuid;

use super::posts::Posts;
use crate::{LockConnection, Result};

/// Locks the posts of these acts in id order until the transaction ends. Returns the ids of the users and of the posts.
///
/// Deletions call this first: a statement that follows sees what was committed while the locks were awaited.
pub(super) async fn lock_posts(
    conn: &mut impl LockConnection,
    acts: &[(UserId, PostId)],
) -> Result<(Vec<i64>, Vec<Uuid>)> {
    let ids = acts.iter().map(|(user, post)| (i64::from(*user), Uuid::from(*post)));
    let (users, posts): (Vec<i64>, Vec<Uuid>) = ids.unzip();
    Posts { conn }.lock_rows(&posts).await?;
    Ok((users, posts))
}

/// Writes a statement that locks posts (`ids` is a condition on their ids), inserts rows, and adds to a counter.
///
/// `changes` are CTEs. The one that inserts is named `changed`, selects from the locked posts (`post`), and returns the
/// `post_id` of each new row. The rest is as for [`count_changes`].
pub(super) fn insertion(ids: &str, changes: &str, count: [&str; 2], result: &str) -> String {
    // In id order, so that concurrent statements do not deadlock.
    let changes = format!(
        "post AS MATERIALIZED (
            SELECT id, author_id, is_public FROM posts WHERE id {ids} ORDER BY id FOR NO KEY UPDATE
        ), {changes}"
    );
    count_changes(&changes, count, result)
}

/// Writes a statement that deletes the rows of `table` that meet a condition, and lowers a counter. The posts are locked. The
/// rest is as for [`count_changes`].
pub(super) fn deletion(
    table: &str,
    condition: &str,
    [counter, number]: [&str; 2],
    result: &str,
) -> String {
    let changes = format!(
        "changed AS (
            DELETE FROM {table} WHERE {condition} RETURNING *
        )"
    );
    count_changes(&changes, [counter, &format!("-{number}")], result)
}

/// Adds to the column `counter` of each post the aggregate `number` over the `changed` rows of the post. `result` can select
/// from these, and from `counted`: the posts whose counter changed, with its new value as `number`.
fn count_changes(changes: &str, [counter, number]: [&str; 2], result: &str) -> String {
    format!(
        "WITH {changes}, counted AS (
            UPDATE posts SET {counter} = {counter} + difference.number
            FROM (SELECT post_id, ({number})::integer AS number FROM changed GROUP BY post_id) AS difference
            WHERE posts.id = difference.post_id AND difference.number <> 0
            RETURNING posts.id, posts.author_id, posts.{counter} AS number
        )
        {result}"
    )
}
