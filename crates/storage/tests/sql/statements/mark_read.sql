SET plan_cache_mode = force_generic_plan;

PREPARE mark_read (timestamp with time zone, bigint, bigint, uuid) AS
WITH marked AS (
    UPDATE notifications SET read = true, read_at = $1,
        seq = CASE WHEN parent_id IS NULL THEN $2 ELSE seq END
    WHERE user_id = $3 AND (id = $4 OR parent_id = $4) AND NOT read
    RETURNING parent_id
), counted AS (
    UPDATE inboxes SET unread_count = greatest(unread_count - 1, 0)
    WHERE user_id = $3 AND EXISTS (SELECT FROM marked WHERE parent_id IS NULL)
)
SELECT count(*) FROM notifications WHERE user_id = $3 AND id = $4;

EXPLAIN EXECUTE mark_read (NULL, NULL, NULL, NULL);
