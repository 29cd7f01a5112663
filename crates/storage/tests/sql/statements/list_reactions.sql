SET plan_cache_mode = force_generic_plan;

PREPARE list_reactions (uuid, bigint) AS
WITH part AS MATERIALIZED (
    SELECT * FROM emoji_reactions
    WHERE id > $1 ORDER BY id LIMIT $2
)
SELECT part.id, part.post_id, post.author_id, part.user_id, part.created_at
FROM part JOIN posts AS post ON post.id = part.post_id ORDER BY part.id;

EXPLAIN EXECUTE list_reactions (NULL, NULL);
