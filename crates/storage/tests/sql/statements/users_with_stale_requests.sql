SET plan_cache_mode = force_generic_plan;

PREPARE users_with_stale_requests (bigint) AS
WITH asked AS (SELECT DISTINCT followed_id FROM follows WHERE status = 'pending')
SELECT id FROM users JOIN asked ON asked.followed_id = users.id
WHERE profile_preferences -> 'approve_followers' IS DISTINCT FROM 'true'
LIMIT $1;

EXPLAIN EXECUTE users_with_stale_requests (NULL);
