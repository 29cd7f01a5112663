SET plan_cache_mode = force_generic_plan;

PREPARE count_users (text, bigint) AS
WITH part AS MATERIALIZED (
    SELECT * FROM users WHERE id > coalesce($1::bigint, 0) ORDER BY id LIMIT $2
)
SELECT part.id::text, number.name, number.kept, number.counted
FROM part, LATERAL (VALUES
    ('followers_count', followers_count, (
        SELECT count(*) FROM follows WHERE followed_id = part.id AND status = 'active'
    )),
    ('following_count', following_count, (
        SELECT count(*) FROM follows WHERE follower_id = part.id AND status = 'active'
    )),
    ('posts_count', posts_count, (SELECT count(*) FROM posts WHERE author_id = part.id)),
    ('public_posts_count', public_posts_count, (
        SELECT count(*) FROM posts WHERE author_id = part.id AND is_public
    ))
) AS number (name, kept, counted)
ORDER BY part.id;

EXPLAIN EXECUTE count_users (NULL, NULL);
