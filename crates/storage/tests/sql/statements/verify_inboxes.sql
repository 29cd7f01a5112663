SET plan_cache_mode = force_generic_plan;

PREPARE verify_inboxes (bigint, bigint) AS
WITH counted AS MATERIALIZED (
    SELECT * FROM (
        SELECT users.id AS user_id, coalesce(unread_count, 0) AS unread_count, coalesce(total_count, 0) AS total_count
        FROM users LEFT JOIN LATERAL (SELECT * FROM inboxes WHERE user_id = users.id LIMIT 1) AS own ON true
    ) AS inbox WHERE user_id > $1 ORDER BY user_id LIMIT $2
)
SELECT counted.user_id::text, counter.name, counter.stored::bigint, counter.actual
FROM counted, LATERAL (VALUES
    ('unread_count', unread_count, (SELECT count(*) FROM notifications
        WHERE user_id = counted.user_id AND parent_id IS NULL AND NOT read)),
    ('total_count', total_count, (SELECT count(*) FROM notifications WHERE user_id = counted.user_id AND parent_id IS NULL))
) AS counter (name, stored, actual)
ORDER BY counted.user_id;

EXPLAIN EXECUTE verify_inboxes (NULL, NULL);
