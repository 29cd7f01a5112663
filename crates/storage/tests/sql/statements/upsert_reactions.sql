SET plan_cache_mode = force_generic_plan;

PREPARE upsert_reactions (uuid[], uuid[], bigint[], text[], timestamp with time zone[]) AS
WITH post AS MATERIALIZED (
    SELECT id, author_id, is_public FROM posts WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
), changed AS (
    INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
    SELECT reaction.* FROM unnest($2, $3, $1, $4, $5)
        AS reaction (id, user_id, post_id, emoji_code, created_at)
    JOIN post ON post.id = reaction.post_id AND (post.is_public OR post.author_id = reaction.user_id)
    ON CONFLICT (user_id, post_id) DO UPDATE SET emoji_code = excluded.emoji_code
    RETURNING id, user_id, post_id, created_at, xmax = 0 AS is_new
), counted AS (
    UPDATE posts SET reactions_count = reactions_count + difference.number
    FROM (SELECT post_id, (count(*) FILTER (WHERE is_new))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.reactions_count AS number
)
SELECT id, user_id, post_id, created_at, is_new FROM changed;

EXPLAIN EXECUTE upsert_reactions (NULL, NULL, NULL, NULL, NULL);
