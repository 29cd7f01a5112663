SET plan_cache_mode = force_generic_plan;

PREPARE delete_shares_batch (bigint, uuid[]) AS
WITH gone AS (
    DELETE FROM shares WHERE user_id = $1 AND post_id = ANY ($2) RETURNING post_id, share_method
), lowered AS (
    SELECT post_id, count(DISTINCT share_method)::integer AS shares FROM gone GROUP BY post_id
)
UPDATE posts SET shares_count = shares_count - lowered.shares
FROM lowered WHERE posts.id = lowered.post_id;

EXPLAIN EXECUTE delete_shares_batch (NULL, NULL);
