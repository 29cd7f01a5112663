SET plan_cache_mode = force_generic_plan;

PREPARE insert_hearts (uuid[], uuid[], bigint[], timestamp with time zone[]) AS
WITH post AS MATERIALIZED (
    SELECT id, author_id, is_public FROM posts WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
), changed AS (
    INSERT INTO likes (id, user_id, post_id, created_at)
    SELECT heart.* FROM unnest($2, $3, $1, $4) AS heart (id, user_id, post_id, created_at)
    JOIN post ON post.id = heart.post_id AND (post.is_public OR post.author_id = heart.user_id)
    ON CONFLICT (user_id, post_id) DO NOTHING
    RETURNING id, post_id
), counted AS (
    UPDATE posts SET hearts_count = hearts_count + difference.number
    FROM (SELECT post_id, (count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.hearts_count AS number
)
SELECT changed.id, counted.number FROM changed JOIN counted ON counted.id = changed.post_id;

EXPLAIN EXECUTE insert_hearts (NULL, NULL, NULL, NULL);
