SET plan_cache_mode = force_generic_plan;

PREPARE verify_users (bigint, bigint) AS
WITH counted AS MATERIALIZED (
    SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $2
)
SELECT counted.id::text, counter.name, counter.stored::bigint, counter.actual
FROM counted, LATERAL (VALUES
    ('followers_count', followers_count, (SELECT count(*) FROM follows WHERE followed_id = counted.id AND status = 'active')),
    ('following_count', following_count, (SELECT count(*) FROM follows WHERE follower_id = counted.id AND status = 'active')),
    ('posts_count', posts_count, (SELECT count(*) FROM posts WHERE author_id = counted.id)),
    ('public_posts_count', public_posts_count, (SELECT count(*) FROM posts WHERE author_id = counted.id AND is_public))
) AS counter (name, stored, actual)
ORDER BY counted.id;

EXPLAIN EXECUTE verify_users (NULL, NULL);
