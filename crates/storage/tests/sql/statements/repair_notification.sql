SET plan_cache_mode = force_generic_plan;

PREPARE repair_notification (uuid) AS
WITH read AS (
    UPDATE notifications AS it SET read = true, read_at = top.read_at FROM notifications AS top
    WHERE top.id = $1 AND it.parent_id = top.id AND top.read AND NOT it.read
)
UPDATE notifications AS top SET
    (batch_count, actor_count) = (SELECT count(*) AS children, count(DISTINCT it.actor_id) AS actors FROM notifications AS it WHERE it.parent_id = top.id OR (it.id = top.id AND NOT top.is_batch)),
    (actor_id, data, comment_id) = (
        SELECT it.actor_id, it.data, it.comment_id FROM notifications AS it WHERE it.parent_id = top.id OR (it.id = top.id AND NOT top.is_batch) ORDER BY it.created_at DESC, it.id DESC LIMIT 1
    )
WHERE top.id = $1;

EXPLAIN EXECUTE repair_notification (NULL);
