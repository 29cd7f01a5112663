SET plan_cache_mode = force_generic_plan;

PREPARE insert_share (uuid, uuid, bigint, text, text, timestamp with time zone, bigint[]) AS
WITH post AS MATERIALIZED (
    SELECT id, author_id, is_public FROM posts WHERE id = $1 ORDER BY id FOR NO KEY UPDATE
), changed AS (
    INSERT INTO shares (id, user_id, post_id, share_method, message_content, created_at)
    SELECT $2, $3, id, $4, $5, $6 FROM post WHERE is_public
    ON CONFLICT (user_id, post_id) WHERE share_method = 'url' DO NOTHING
    RETURNING id, post_id
), sent AS (
    INSERT INTO share_recipients (share_id, user_id) SELECT id, unnest($7) FROM changed
), earlier AS (
    SELECT FROM shares WHERE user_id = $3 AND post_id = $1 AND share_method = $4 LIMIT 1
), counted AS (
    UPDATE posts SET shares_count = shares_count + difference.number
    FROM (SELECT post_id, (count(*) FILTER (WHERE NOT EXISTS (SELECT FROM earlier)))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.shares_count AS number
)
SELECT id FROM changed;

EXPLAIN EXECUTE insert_share (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
