SET plan_cache_mode = force_generic_plan;

PREPARE update_comment (uuid, uuid, text, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 FOR NO KEY UPDATE
), replaced AS MATERIALIZED (
    SELECT comments.id, comments.content FROM comments JOIN post ON post.id = comments.post_id
    WHERE comments.id = $2 FOR NO KEY UPDATE OF comments
), changed AS (
    UPDATE comments SET content = $3, updated_at = $4 FROM replaced WHERE comments.id = replaced.id
)
SELECT content FROM replaced;

EXPLAIN EXECUTE update_comment (NULL, NULL, NULL, NULL);
