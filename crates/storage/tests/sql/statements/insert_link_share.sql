SET plan_cache_mode = force_generic_plan;

PREPARE insert_link_share (uuid, uuid, bigint, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 AND is_public FOR NO KEY UPDATE
), made AS (
    INSERT INTO shares (id, user_id, post_id, share_method, created_at)
    SELECT $2, $3, id, 'url', $4 FROM post
    ON CONFLICT (user_id, post_id) WHERE share_method = 'url' DO NOTHING
    RETURNING post_id
)
UPDATE posts SET shares_count = shares_count + 1 FROM made WHERE posts.id = made.post_id
RETURNING shares_count;

EXPLAIN EXECUTE insert_link_share (NULL, NULL, NULL, NULL);
