SET plan_cache_mode = force_generic_plan;

PREPARE delete_follows_batch (bigint, bigint[]) AS
WITH outgoing AS (
    DELETE FROM follows WHERE follower_id = $1 AND followed_id = ANY ($2)
    RETURNING follower_id, followed_id, status
), incoming AS (
    DELETE FROM follows WHERE followed_id = $1 AND follower_id = ANY ($2)
    RETURNING follower_id, followed_id, status
), active AS (
    SELECT * FROM outgoing WHERE status = 'active' UNION ALL SELECT * FROM incoming WHERE status = 'active'
), lowered AS (
    SELECT id, sum(followers) AS followers, sum(following) AS following FROM (
        SELECT followed_id AS id, 1 AS followers, 0 AS following FROM active
        UNION ALL SELECT follower_id, 0, 1 FROM active
    ) AS change GROUP BY id
)
UPDATE users SET
    followers_count = followers_count - lowered.followers,
    following_count = following_count - lowered.following
FROM lowered WHERE users.id = lowered.id;

EXPLAIN EXECUTE delete_follows_batch (NULL, NULL);
