SET plan_cache_mode = force_generic_plan;

PREPARE list_changes (bigint, bigint, bigint) AS
WITH shown AS (
    SELECT seq, id, false AS is_removal FROM notifications
    WHERE user_id = $1 AND parent_id IS NULL AND seq > $2 ORDER BY seq LIMIT $3
), removed AS (
    SELECT seq, notification_id, true FROM notification_removals
    WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
)
SELECT * FROM shown UNION ALL SELECT * FROM removed ORDER BY seq LIMIT $3;

EXPLAIN EXECUTE list_changes (NULL, NULL, NULL);
