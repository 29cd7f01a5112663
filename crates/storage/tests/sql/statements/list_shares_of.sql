SET plan_cache_mode = force_generic_plan;

PREPARE list_shares_of (bigint, uuid[]) AS
WITH message AS (
    SELECT id, post_id FROM shares
    WHERE user_id = $1 AND post_id = ANY ($2) AND share_method = 'message'
)
SELECT id, post_id, ARRAY(SELECT user_id FROM share_recipients WHERE share_id = message.id) FROM message;

EXPLAIN EXECUTE list_shares_of (NULL, NULL);
