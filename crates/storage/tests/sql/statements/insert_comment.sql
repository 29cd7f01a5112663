SET plan_cache_mode = force_generic_plan;

PREPARE insert_comment (uuid, uuid, bigint, uuid, text, timestamp with time zone) AS
WITH post AS MATERIALIZED (
    SELECT id, author_id, is_public FROM posts WHERE id = $1 ORDER BY id FOR NO KEY UPDATE
), changed AS (
    INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
    SELECT $2, $3, id, $4, $5, $6
    FROM post WHERE is_public OR author_id = $3
    RETURNING post_id
), counted AS (
    UPDATE posts SET comments_count = comments_count + difference.number
    FROM (SELECT post_id, (count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.comments_count AS number
)
SELECT number FROM counted;

EXPLAIN EXECUTE insert_comment (NULL, NULL, NULL, NULL, NULL, NULL);
