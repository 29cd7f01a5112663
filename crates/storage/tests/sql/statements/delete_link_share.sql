SET plan_cache_mode = force_generic_plan;

PREPARE delete_link_share (uuid, bigint) AS
WITH gone AS (
    DELETE FROM shares WHERE post_id = $1 AND user_id = $2 AND share_method = 'url' RETURNING post_id
)
UPDATE posts SET shares_count = shares_count - 1 FROM gone WHERE posts.id = gone.post_id
RETURNING author_id;

EXPLAIN EXECUTE delete_link_share (NULL, NULL);
