SET plan_cache_mode = force_generic_plan;

PREPARE find_relationships (bigint[], bigint) AS
WITH other AS (SELECT id FROM users WHERE id = ANY ($1) AND deleted_at IS NULL)
SELECT other.id, there.status, back.status
FROM other
LEFT JOIN follows AS there ON there.follower_id = $2 AND there.followed_id = other.id
LEFT JOIN follows AS back ON back.follower_id = other.id AND back.followed_id = $2;

EXPLAIN EXECUTE find_relationships (NULL, NULL);
