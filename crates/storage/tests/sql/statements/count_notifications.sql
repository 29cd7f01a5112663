SET plan_cache_mode = force_generic_plan;

PREPARE count_notifications (bigint) AS
WITH listed AS (
    SELECT count(*) AS total FROM notifications WHERE user_id = $1 AND parent_id IS NULL
), unread AS (
    SELECT count(*) AS unread FROM notifications WHERE user_id = $1 AND parent_id IS NULL AND NOT read
)
SELECT unread, total FROM unread, listed;

EXPLAIN EXECUTE count_notifications (NULL);
