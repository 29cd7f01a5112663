SET plan_cache_mode = force_generic_plan;

PREPARE insert_comment (uuid, bigint, uuid, uuid, text, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
), made AS (
    INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
    SELECT $3, $2, id, $4, $5, $6 FROM post
    RETURNING post_id
)
UPDATE posts SET comments_count = comments_count + 1 FROM made WHERE posts.id = made.post_id
RETURNING comments_count;

EXPLAIN EXECUTE insert_comment (NULL, NULL, NULL, NULL, NULL, NULL);
