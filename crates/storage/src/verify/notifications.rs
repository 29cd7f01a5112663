//! Verification of notifications: the counters of batches, the read state of children, and whether the acts exist.

use diesel::sql_types::{BigInt, Nullable, Text};

use crate::query::statement;

/// Whether the act of the notification with the alias `it` exists.
macro_rules! has_cause {
    () => {
        "CASE it.type
            WHEN 'like' THEN EXISTS (
                SELECT FROM likes WHERE likes.user_id = it.actor_id AND likes.post_id = it.post_id
            )
            WHEN 'emoji_reaction' THEN EXISTS (
                SELECT FROM emoji_reactions
                WHERE emoji_reactions.user_id = it.actor_id AND emoji_reactions.post_id = it.post_id
            )
            WHEN 'post_shared' THEN EXISTS (
                SELECT FROM shares
                WHERE shares.user_id = it.actor_id AND shares.post_id = it.post_id
                    AND it.act = CASE share_method
                        WHEN 'url' THEN 'post_shared:post:' || shares.post_id
                        ELSE 'post_shared:share:' || shares.id
                    END
            )
            WHEN 'mention' THEN CASE
                WHEN it.comment_id IS NULL THEN EXISTS (
                    SELECT FROM posts
                    WHERE posts.id = it.post_id AND posts.author_id = it.actor_id AND posts.is_public
                )
                ELSE EXISTS (
                    SELECT FROM comments JOIN posts ON posts.id = comments.post_id
                    WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
                        AND (posts.is_public OR posts.author_id = it.user_id)
                )
            END
            WHEN 'comment' THEN EXISTS (
                SELECT FROM comments WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
            )
            WHEN 'comment_reply' THEN EXISTS (
                SELECT FROM comments WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
            )
            WHEN 'follow' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'active'
            )
            WHEN 'follow_request' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'pending'
            )
            WHEN 'follow_accepted' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.user_id AND followed_id = it.actor_id AND status = 'active'
            )
            ELSE true
        END"
    };
}

statement! {
    /// Each notification of an inbox with its children. A single notification is its own only child.
    pub(super) CountNotifications(after: Option<String> as Nullable<Text>, limit: i64 as BigInt) -> (Text, Text, BigInt, BigInt) {
        concat!(
            "part AS MATERIALIZED (
                SELECT * FROM notifications
                WHERE id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') AND parent_id IS NULL
                ORDER BY id LIMIT $2
            )
            SELECT part.id::text, number.name, number.kept::bigint, number.counted
            FROM part, LATERAL (
                SELECT count(*) AS entries, count(DISTINCT it.actor_id) AS people,
                    count(*) FILTER (WHERE part.read AND NOT it.read) AS unread,
                    count(*) FILTER (WHERE it.user_id = part.user_id AND NOT it.is_batch AND ",
            has_cause!(),
            ") AS caused
                FROM notifications AS it
                WHERE it.parent_id = part.id OR (it.id = part.id AND NOT part.is_batch)
            ) AS entry, LATERAL (VALUES
                ('batch_count', batch_count, entries),
                ('actor_count', actor_count, people),
                ('unread entries below what was read', unread, 0),
                ('entries, which acts have caused', entries, caused),
                ('open under its key', 1, CASE
                    WHEN closed_at IS NULL AND batch_key IS NOT NULL THEN (
                        SELECT count(*) FROM notifications AS it
                        WHERE it.user_id = part.user_id AND it.batch_key = part.batch_key
                            AND it.parent_id IS NULL AND it.closed_at IS NULL
                    )
                    ELSE 1
                END)
            ) AS number (name, kept, counted)
            ORDER BY part.id"
        )
    }
}

/// The number of verified values per notification.
pub(super) const COLUMNS: u64 = 5;

pub(super) const LOCK_INBOX: &str = "SELECT FROM inboxes
    WHERE user_id = (SELECT user_id FROM notifications WHERE id = $1::uuid) FOR UPDATE";

/// Deletes the notification or its children if their act does not exist, and then the batch if it has no children left. A
/// batch that loses children this way is read if all others are read.
/// Otherwise recounts the children and actors, takes the displayed actor, data and comment from the newest child, and marks
/// the children of a read batch as read.
pub(super) const REPAIR_NOTIFICATION: [&str; 5] = [
    concat!(
        "WITH gone AS (
            DELETE FROM notifications AS it
            WHERE (it.id = $1::uuid OR it.parent_id = $1::uuid) AND NOT it.is_batch AND NOT ",
        has_cause!(),
        " RETURNING it.id
        )
        UPDATE notifications AS top SET read = true, read_at = (
            SELECT max(it.read_at) FROM notifications AS it WHERE it.parent_id = top.id
        )
        WHERE top.id = $1::uuid AND top.is_batch AND NOT top.read AND EXISTS (SELECT FROM gone)
            AND NOT EXISTS (
                SELECT FROM notifications AS it
                WHERE it.parent_id = top.id AND NOT it.read AND it.id NOT IN (SELECT id FROM gone)
            )"
    ),
    "DELETE FROM notifications AS it
    WHERE it.id = $1::uuid AND it.is_batch
        AND NOT EXISTS (SELECT FROM notifications AS entry WHERE entry.parent_id = it.id)",
    "UPDATE notifications AS it SET
        batch_count = (SELECT count(*) FROM notifications WHERE parent_id = it.id),
        actor_count = (SELECT count(DISTINCT actor_id) FROM notifications WHERE parent_id = it.id),
        (actor_id, data, comment_id) = (
            SELECT actor_id, data, comment_id FROM notifications WHERE parent_id = it.id
            ORDER BY created_at DESC, id DESC LIMIT 1
        )
    WHERE it.id = $1::uuid AND it.is_batch",
    "UPDATE notifications SET batch_count = 1, actor_count = 1 WHERE id = $1::uuid AND NOT is_batch",
    "UPDATE notifications AS it SET read = true, read_at = parent.read_at
    FROM notifications AS parent
    WHERE parent.id = $1::uuid AND it.parent_id = parent.id AND parent.read AND NOT it.read",
];
