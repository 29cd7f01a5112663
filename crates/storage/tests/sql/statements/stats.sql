SET plan_cache_mode = force_generic_plan;

PREPARE stats (timestamp with time zone, timestamp with time zone, timestamp with time zone, bigint, text) AS
WITH told AS (
    SELECT count(*) FILTER (WHERE created_at > $1 AND created_at < $2) AS last_hour,
        count(*) FILTER (WHERE created_at > $3 AND created_at < $2) AS last_day,
        count(*) AS total
    FROM notifications
    WHERE user_id = $4 AND CASE
        WHEN $5 IS NULL THEN NOT is_batch
        WHEN $5 = 'post_interaction' THEN is_batch AND type = $5
        ELSE NOT is_batch AND type = $5
    END
), quota AS (
    SELECT max(window_opened_at) AS window_opened_at, max(actor_ids) AS actor_ids,
        coalesce(sum(held_back), 0)::bigint AS held_back
    FROM notification_quotas WHERE user_id = $4 AND ($5 IS NULL OR type = $5)
)
SELECT last_hour, last_day, total, window_opened_at, actor_ids, held_back FROM told, quota;

EXPLAIN EXECUTE stats (NULL, NULL, NULL, NULL, NULL);
