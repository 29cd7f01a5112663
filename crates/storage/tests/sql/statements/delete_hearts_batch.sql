SET plan_cache_mode = force_generic_plan;

PREPARE delete_hearts_batch (bigint, uuid[]) AS
WITH gone AS (
    DELETE FROM likes WHERE user_id = $1 AND post_id = ANY ($2) RETURNING post_id
)
UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id;

EXPLAIN EXECUTE delete_hearts_batch (NULL, NULL);
