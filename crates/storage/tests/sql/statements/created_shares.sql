SET plan_cache_mode = force_generic_plan;

PREPARE created_shares (bigint, uuid, bigint) AS
WITH theirs AS MATERIALIZED (
    SELECT id, post_id, share_method, message_content, created_at FROM shares
    WHERE user_id = $1 AND id > $2
), part AS (
    SELECT * FROM theirs ORDER BY id LIMIT $3
)
SELECT id, post_id, message_content, created_at, CASE share_method WHEN 'message' THEN
    ARRAY(SELECT user_id FROM share_recipients WHERE share_id = part.id ORDER BY user_id)
END
FROM part ORDER BY id;

EXPLAIN EXECUTE created_shares (NULL, NULL, NULL);
