SET plan_cache_mode = force_generic_plan;

PREPARE find_relationships (bigint[], bigint[]) AS
SELECT pair.user_id, pair.other_id, there.status, back.status
FROM unnest($1, $2) AS pair (user_id, other_id)
JOIN users AS other ON other.id = pair.other_id AND other.deleted_at IS NULL
LEFT JOIN follows AS there ON there.follower_id = pair.user_id AND there.followed_id = pair.other_id
LEFT JOIN follows AS back ON back.follower_id = pair.other_id AND back.followed_id = pair.user_id;

EXPLAIN EXECUTE find_relationships (NULL, NULL);
