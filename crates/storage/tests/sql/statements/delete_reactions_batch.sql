SET plan_cache_mode = force_generic_plan;

PREPARE delete_reactions_batch (bigint, uuid[]) AS
WITH gone AS (
    DELETE FROM emoji_reactions WHERE user_id = $1 AND post_id = ANY ($2) RETURNING post_id
)
UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id;

EXPLAIN EXECUTE delete_reactions_batch (NULL, NULL);
