SET plan_cache_mode = force_generic_plan;

PREPARE delete_inbox_batch (bigint, bigint) AS
WITH part AS MATERIALIZED (
    SELECT id FROM notifications WHERE user_id = $1 AND parent_id IS NULL LIMIT $2
), inbox AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id = $1 AND EXISTS (SELECT FROM part) FOR UPDATE
), gone AS (
    DELETE FROM notifications AS it USING part, inbox
    WHERE it.user_id = $1 AND it.id = part.id
    RETURNING it.read
), counted AS (
    UPDATE inboxes SET
        unread_count = greatest(unread_count - (SELECT count(*) FROM gone WHERE NOT read), 0),
        total_count = greatest(total_count - (SELECT count(*) FROM gone), 0)
    WHERE user_id = $1 AND EXISTS (SELECT FROM gone)
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE delete_inbox_batch (NULL, NULL);
