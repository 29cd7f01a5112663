SET plan_cache_mode = force_generic_plan;

PREPARE delete_inbox_batch (bigint, bigint) AS
WITH inbox AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id = $1 FOR UPDATE
), part AS MATERIALIZED (
    SELECT id FROM notifications WHERE user_id = $1 AND parent_id IS NULL LIMIT $2
), gone AS (
    DELETE FROM notifications AS it USING part, inbox WHERE it.id = part.id RETURNING it.id
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE delete_inbox_batch (NULL, NULL);
