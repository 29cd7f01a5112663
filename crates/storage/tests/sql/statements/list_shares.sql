SET plan_cache_mode = force_generic_plan;

PREPARE list_shares (uuid, bigint) AS
WITH part AS MATERIALIZED (
    SELECT * FROM shares WHERE id > $1 ORDER BY id LIMIT $2
)
SELECT part.id, part.post_id, post.author_id, part.user_id, part.created_at, part.share_method = 'url',
    ARRAY(SELECT user_id FROM share_recipients WHERE share_id = part.id ORDER BY user_id)
FROM part JOIN posts AS post ON post.id = part.post_id ORDER BY part.id;

EXPLAIN EXECUTE list_shares (NULL, NULL);
