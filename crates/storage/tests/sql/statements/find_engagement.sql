SET plan_cache_mode = force_generic_plan;

PREPARE find_engagement (bigint, bigint, uuid) AS
SELECT user_id, post_id FROM (
    (SELECT user_id, post_id FROM likes WHERE user_id = $1 LIMIT $2)
    UNION (SELECT user_id, post_id FROM emoji_reactions WHERE user_id = $1 LIMIT $2)
    UNION (SELECT user_id, post_id FROM shares WHERE user_id = $1 LIMIT $2)
    UNION (SELECT user_id, post_id FROM likes WHERE post_id = $3 LIMIT $2)
    UNION (SELECT user_id, post_id FROM emoji_reactions WHERE post_id = $3 LIMIT $2)
    UNION (SELECT user_id, post_id FROM shares WHERE post_id = $3 LIMIT $2)
) AS pair LIMIT $2;

EXPLAIN EXECUTE find_engagement (NULL, NULL, NULL);
