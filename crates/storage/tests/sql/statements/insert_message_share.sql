SET plan_cache_mode = force_generic_plan;

PREPARE insert_message_share (uuid, bigint, uuid, text, timestamp with time zone, bigint[]) AS
WITH post AS MATERIALIZED (
    SELECT id FROM posts WHERE id = $1 AND is_public FOR NO KEY UPDATE
), earlier AS (
    SELECT FROM shares WHERE user_id = $2 AND post_id = $1 AND share_method = 'message' LIMIT 1
), made AS (
    INSERT INTO shares (id, user_id, post_id, share_method, message_content, created_at)
    SELECT $3, $2, id, 'message', $4, $5 FROM post
    RETURNING id, post_id
), told AS (
    INSERT INTO share_recipients (share_id, user_id) SELECT id, unnest($6) FROM made
), counted AS (
    UPDATE posts SET shares_count = shares_count + 1
    FROM made WHERE posts.id = made.post_id AND NOT EXISTS (SELECT FROM earlier)
)
SELECT id FROM made;

EXPLAIN EXECUTE insert_message_share (NULL, NULL, NULL, NULL, NULL, NULL);
