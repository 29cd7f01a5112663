SET plan_cache_mode = force_generic_plan;

PREPARE delete_reaction (uuid, bigint) AS
WITH gone AS (
    DELETE FROM emoji_reactions WHERE post_id = $1 AND user_id = $2 RETURNING post_id
)
UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id
RETURNING author_id;

EXPLAIN EXECUTE delete_reaction (NULL, NULL);
