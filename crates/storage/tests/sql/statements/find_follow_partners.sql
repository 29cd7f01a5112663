SET plan_cache_mode = force_generic_plan;

PREPARE find_follow_partners (bigint, bigint) AS
WITH partner AS (
    (SELECT followed_id AS id FROM follows WHERE follower_id = $1 LIMIT $2)
    UNION
    (SELECT follower_id FROM follows WHERE followed_id = $1 LIMIT $2)
)
SELECT id FROM partner LIMIT $2;

EXPLAIN EXECUTE find_follow_partners (NULL, NULL);
