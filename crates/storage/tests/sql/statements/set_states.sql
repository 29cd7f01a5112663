SET plan_cache_mode = force_generic_plan;

PREPARE set_states (uuid[], bigint[], bigint[], text[], timestamp with time zone[], bigint[]) AS
WITH change AS (
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        AS change (id, follower_id, followed_id, status, created_at, difference)
), gone AS (
    DELETE FROM follows USING change
    WHERE follows.follower_id = change.follower_id AND follows.followed_id = change.followed_id
        AND change.status IS NULL
), made AS (
    INSERT INTO follows AS edge (id, follower_id, followed_id, status, created_at)
    SELECT id, follower_id, followed_id, status, created_at FROM change WHERE status IS NOT NULL
    ON CONFLICT (follower_id, followed_id) DO UPDATE SET
        status = excluded.status,
        created_at = CASE
            WHEN excluded.status = 'blocked' THEN excluded.created_at ELSE edge.created_at
        END
    RETURNING id, follower_id, followed_id, status, created_at
), counted AS (
    SELECT user_id, sum(followers) AS followers, sum(following) AS following FROM (
        SELECT followed_id AS user_id, difference AS followers, 0 AS following FROM change
        UNION ALL SELECT follower_id, 0, difference FROM change
    ) AS it WHERE followers <> 0 OR following <> 0 GROUP BY user_id
), totals AS (
    UPDATE users SET
        followers_count = followers_count + counted.followers,
        following_count = following_count + counted.following
    FROM counted
    WHERE users.id = counted.user_id AND users.id = ANY (ARRAY(SELECT user_id FROM counted))
)
SELECT id, follower_id, followed_id, status, created_at FROM made;

EXPLAIN EXECUTE set_states (NULL, NULL, NULL, NULL, NULL, NULL);
