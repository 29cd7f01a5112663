SET plan_cache_mode = force_generic_plan;

PREPARE upsert_reaction (uuid, bigint, uuid, text, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
), made AS (
    INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
    SELECT $3, $2, id, $4, $5 FROM post
    ON CONFLICT (user_id, post_id) DO UPDATE SET emoji_code = excluded.emoji_code
    RETURNING id, post_id, created_at, xmax = 0 AS is_new
), counted AS (
    UPDATE posts SET reactions_count = reactions_count + 1
    FROM made WHERE posts.id = made.post_id AND made.is_new
)
SELECT id, created_at, is_new FROM made;

EXPLAIN EXECUTE upsert_reaction (NULL, NULL, NULL, NULL, NULL);
