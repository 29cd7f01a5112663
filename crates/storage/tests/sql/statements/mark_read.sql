SET plan_cache_mode = force_generic_plan;

PREPARE mark_read (bigint, uuid, timestamp with time zone, bigint) AS
WITH unread AS MATERIALIZED (
    SELECT ctid AS place FROM notifications WHERE user_id = $1 AND id = $2 AND NOT read
    UNION ALL
    SELECT ctid FROM notifications WHERE parent_id = $2 AND NOT read
), marked AS (
    UPDATE notifications SET read = true, read_at = $3,
        seq = CASE WHEN parent_id IS NULL THEN $4 ELSE seq END
    WHERE ctid = ANY (ARRAY(SELECT place FROM unread)) AND user_id = $1 AND NOT read
    RETURNING parent_id
), counted AS (
    UPDATE inboxes SET unread_count = greatest(unread_count - 1, 0)
    WHERE user_id = $1 AND EXISTS (SELECT FROM marked WHERE parent_id IS NULL)
)
SELECT count(*) FROM notifications WHERE user_id = $1 AND id = $2;

EXPLAIN EXECUTE mark_read (NULL, NULL, NULL, NULL);
