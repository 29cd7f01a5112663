SET plan_cache_mode = force_generic_plan;

PREPARE list_follows (uuid, bigint) AS
WITH part AS MATERIALIZED (
    SELECT * FROM follows
    WHERE id > $1 AND status <> 'blocked'
    ORDER BY id LIMIT $2
)
SELECT id, follower_id, followed_id, status = 'active', created_at FROM part ORDER BY id;

EXPLAIN EXECUTE list_follows (NULL, NULL);
