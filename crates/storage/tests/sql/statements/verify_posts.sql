SET plan_cache_mode = force_generic_plan;

PREPARE verify_posts (uuid, bigint) AS
WITH counted AS MATERIALIZED (
    SELECT * FROM posts WHERE id > $1 ORDER BY id LIMIT $2
)
SELECT counted.id::text, counter.name, counter.stored::bigint, counter.actual
FROM counted, LATERAL (VALUES
    ('hearts_count', hearts_count, (SELECT count(*) FROM likes WHERE post_id = counted.id)),
    ('reactions_count', reactions_count, (SELECT count(*) FROM emoji_reactions WHERE post_id = counted.id)),
    ('shares_count', shares_count, (SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = counted.id)),
    ('comments_count', comments_count, (SELECT count(*) FROM comments WHERE post_id = counted.id))
) AS counter (name, stored, actual)
ORDER BY counted.id;

EXPLAIN EXECUTE verify_posts (NULL, NULL);
