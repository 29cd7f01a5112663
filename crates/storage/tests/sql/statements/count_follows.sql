SET plan_cache_mode = force_generic_plan;

PREPARE count_follows (bigint) AS
WITH person AS (SELECT * FROM users WHERE id = $1)
SELECT followers_count, following_count,
    (SELECT count(*) FROM follows WHERE followed_id = person.id AND status = 'pending'),
    (SELECT count(*) FROM follows WHERE follower_id = person.id AND status = 'pending')
FROM person;

EXPLAIN EXECUTE count_follows (NULL);
