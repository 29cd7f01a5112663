SET plan_cache_mode = force_generic_plan;

PREPARE find_about_hidden_post (uuid, bigint, bigint) AS
WITH before AS (
    SELECT id, user_id FROM notifications
    WHERE post_id = $1 AND user_id < $2 AND act IS NOT NULL LIMIT $3
), after AS (
    SELECT id, user_id FROM notifications
    WHERE post_id = $1 AND user_id > $2 AND act IS NOT NULL LIMIT $3
)
SELECT id, user_id FROM before UNION ALL SELECT id, user_id FROM after LIMIT $3;

EXPLAIN EXECUTE find_about_hidden_post (NULL, NULL, NULL);
