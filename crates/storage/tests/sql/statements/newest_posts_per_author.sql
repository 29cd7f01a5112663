SET plan_cache_mode = force_generic_plan;

PREPARE newest_posts_per_author (bigint[], bigint, bigint) AS
WITH RECURSIVE walk AS (
    SELECT newest.*, author.id AS author_id, 1 AS place
    FROM (SELECT DISTINCT id FROM unnest($1) AS author (id)) AS author, LATERAL (
        SELECT id, created_at FROM posts
        WHERE author_id = author.id AND (is_public OR author_id = $2 AND deleted_at IS NULL)
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS newest
    WHERE NOT (author.id = ANY (SELECT user_id FROM hidden_users($2)))
    UNION ALL
    SELECT next.*, walk.author_id, walk.place + 1 FROM walk, LATERAL (
        SELECT id, created_at FROM posts
        WHERE author_id = walk.author_id AND (is_public OR author_id = $2 AND deleted_at IS NULL)
            AND ROW(created_at, id) < ROW(walk.created_at, walk.id)
        ORDER BY created_at DESC, id DESC LIMIT 1
    ) AS next
    WHERE walk.place < $3
)
SELECT id FROM walk;

EXPLAIN EXECUTE newest_posts_per_author (NULL, NULL, NULL);
