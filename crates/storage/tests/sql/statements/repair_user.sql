SET plan_cache_mode = force_generic_plan;

PREPARE repair_user (bigint) AS
UPDATE users AS counted SET
    followers_count = (SELECT count(*) FROM follows WHERE followed_id = counted.id AND status = 'active'),
    following_count = (SELECT count(*) FROM follows WHERE follower_id = counted.id AND status = 'active'),
    posts_count = (SELECT count(*) FROM posts WHERE author_id = counted.id),
    public_posts_count = (SELECT count(*) FROM posts WHERE author_id = counted.id AND is_public)
WHERE id = $1;

EXPLAIN EXECUTE repair_user (NULL);
