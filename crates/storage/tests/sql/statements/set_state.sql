SET plan_cache_mode = force_generic_plan;

PREPARE set_state (bigint, bigint, text, uuid, timestamp with time zone, bigint) AS
WITH gone AS (
    DELETE FROM follows WHERE follower_id = $1 AND followed_id = $2 AND $3 IS NULL
), made AS (
    INSERT INTO follows AS edge (id, follower_id, followed_id, status, created_at)
    SELECT $4, $1, $2, $3, $5 WHERE $3 IS NOT NULL
    ON CONFLICT (follower_id, followed_id) DO UPDATE SET
        status = excluded.status,
        created_at = CASE
            WHEN excluded.status = 'blocked' THEN excluded.created_at ELSE edge.created_at
        END
    RETURNING id, created_at
), followed AS (
    UPDATE users SET followers_count = followers_count + $6 WHERE id = $2 AND $6 <> 0
), follows AS (
    UPDATE users SET following_count = following_count + $6 WHERE id = $1 AND $6 <> 0
)
SELECT id, created_at FROM made;

EXPLAIN EXECUTE set_state (NULL, NULL, NULL, NULL, NULL, NULL);
