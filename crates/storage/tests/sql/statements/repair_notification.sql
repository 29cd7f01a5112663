SET plan_cache_mode = force_generic_plan;

PREPARE repair_notification (bigint, uuid) AS
WITH read AS (
    UPDATE notifications AS it SET read = true, read_at = top.read_at FROM notifications AS top
    WHERE top.user_id = $1 AND top.id = $2 AND it.user_id = $1 AND it.parent_id = top.id AND top.read AND NOT it.read
)
UPDATE notifications AS top SET
    (batch_count, actor_count) = (SELECT count(*) AS children, count(DISTINCT it.actor_id) AS actors FROM (
        SELECT * FROM notifications WHERE parent_id = top.id AND user_id = top.user_id
        UNION ALL
        SELECT * FROM notifications WHERE user_id = top.user_id AND id = top.id AND NOT top.is_batch
    ) AS it),
    (actor_id, data, comment_id) = (
        SELECT it.actor_id, it.data, it.comment_id FROM (
        SELECT * FROM notifications WHERE parent_id = top.id AND user_id = top.user_id
        UNION ALL
        SELECT * FROM notifications WHERE user_id = top.user_id AND id = top.id AND NOT top.is_batch
    ) AS it ORDER BY it.created_at DESC, it.id DESC LIMIT 1
    )
WHERE top.user_id = $1 AND top.id = $2;

EXPLAIN EXECUTE repair_notification (NULL, NULL);
