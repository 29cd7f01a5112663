SET plan_cache_mode = force_generic_plan;

PREPARE delete_heart (uuid, bigint) AS
WITH gone AS (
    DELETE FROM likes WHERE post_id = $1 AND user_id = $2 RETURNING post_id
)
UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id
RETURNING hearts_count, author_id;

EXPLAIN EXECUTE delete_heart (NULL, NULL);
