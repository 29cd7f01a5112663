SET plan_cache_mode = force_generic_plan;

PREPARE delete_unread_before (bigint, bigint, timestamp with time zone, bigint) AS
WITH next AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id > $1 AND unread_count > 0 ORDER BY user_id LIMIT $2
), part AS MATERIALIZED (
    SELECT it.place, it.user_id FROM next, LATERAL (
        SELECT ctid AS place, user_id FROM notifications
        WHERE user_id = next.user_id AND parent_id IS NULL AND NOT read AND last_updated_at < $3
        ORDER BY last_updated_at, id LIMIT $4
    ) AS it LIMIT $4
), inbox AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
    ORDER BY user_id FOR UPDATE
), gone AS (
    DELETE FROM notifications AS it
    WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
        AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
        AND it.last_updated_at < $3 AND it.parent_id IS NULL AND NOT it.read
    RETURNING it.user_id
), counted AS (
    UPDATE inboxes SET unread_count = greatest(unread_count - old.number, 0),
        total_count = greatest(total_count - old.number, 0)
    FROM (SELECT user_id, count(*) AS number FROM gone GROUP BY user_id) AS old
    WHERE inboxes.user_id = old.user_id
)
SELECT (SELECT count(*) FROM gone), (SELECT max(user_id) FROM next);

EXPLAIN EXECUTE delete_unread_before (NULL, NULL, NULL, NULL);
