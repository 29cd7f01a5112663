SET plan_cache_mode = force_generic_plan;

PREPARE insert_heart (uuid, bigint, uuid, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
), made AS (
    INSERT INTO likes (id, user_id, post_id, created_at) SELECT $3, $2, id, $4 FROM post
    ON CONFLICT (user_id, post_id) DO NOTHING
    RETURNING post_id
)
UPDATE posts SET hearts_count = hearts_count + 1 FROM made WHERE posts.id = made.post_id
RETURNING hearts_count;

EXPLAIN EXECUTE insert_heart (NULL, NULL, NULL, NULL);
