SET plan_cache_mode = force_generic_plan;

PREPARE count_posts (text, bigint) AS
WITH part AS MATERIALIZED (
    SELECT * FROM posts WHERE id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $2
)
SELECT part.id::text, number.name, number.kept::bigint, number.counted
FROM part, LATERAL (VALUES
    ('hearts_count', hearts_count, (SELECT count(*) FROM likes WHERE post_id = part.id)),
    ('reactions_count', reactions_count, (SELECT count(*) FROM emoji_reactions WHERE post_id = part.id)),
    ('shares_count', shares_count, (
        SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = part.id
    )),
    ('comments_count', comments_count, (SELECT count(*) FROM comments WHERE post_id = part.id))
) AS number (name, kept, counted)
ORDER BY part.id;

EXPLAIN EXECUTE count_posts (NULL, NULL);
