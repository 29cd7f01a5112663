SET plan_cache_mode = force_generic_plan;

PREPARE insert_hearts (uuid[], bigint[], uuid[], timestamp with time zone[]) AS
WITH wanted AS (
    SELECT * FROM unnest($1, $2, $3, $4) AS wanted (id, user_id, post_id, created_at)
), post AS MATERIALIZED (
    SELECT id, is_public, author_id FROM posts WHERE id = ANY ($3) ORDER BY id FOR NO KEY UPDATE
), made AS (
    INSERT INTO likes (id, user_id, post_id, created_at)
    SELECT wanted.id, wanted.user_id, wanted.post_id, wanted.created_at
    FROM wanted JOIN post ON post.id = wanted.post_id
    WHERE post.is_public OR post.author_id = wanted.user_id
    ON CONFLICT (user_id, post_id) DO NOTHING
    RETURNING post_id
), counted AS (
    UPDATE posts SET hearts_count = hearts_count + new.hearts
    FROM (SELECT post_id, count(*)::integer AS hearts FROM made GROUP BY post_id) AS new
    WHERE posts.id = new.post_id
)
SELECT count(*) FROM made;

EXPLAIN EXECUTE insert_hearts (NULL, NULL, NULL, NULL);
