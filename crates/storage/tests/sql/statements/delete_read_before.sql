SET plan_cache_mode = force_generic_plan;

PREPARE delete_read_before (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place, user_id FROM notifications
    WHERE last_updated_at < $1 AND parent_id IS NULL AND read
    ORDER BY last_updated_at LIMIT $2
), inbox AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
    ORDER BY user_id FOR UPDATE
), gone AS (
    DELETE FROM notifications AS it
    WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
        AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
        AND it.last_updated_at < $1 AND it.parent_id IS NULL AND it.read
    RETURNING it.user_id
), counted AS (
    UPDATE inboxes SET total_count = greatest(total_count - old.number, 0)
    FROM (SELECT user_id, count(*) AS number FROM gone GROUP BY user_id) AS old
    WHERE inboxes.user_id = old.user_id
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE delete_read_before (NULL, NULL);
