SET plan_cache_mode = force_generic_plan;

PREPARE find_visible (bigint[], uuid[]) AS
SELECT wanted.user_id, wanted.post_id, post.author_id
FROM unnest($1, $2) AS wanted (user_id, post_id)
JOIN posts AS post ON post.id = wanted.post_id
JOIN users AS author ON author.id = post.author_id AND author.deleted_at IS NULL
WHERE (post.is_public OR post.author_id = wanted.user_id AND post.deleted_at IS NULL) AND (
    SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
    WHERE follower_id = wanted.user_id AND followed_id = post.author_id
) + (
    SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
    WHERE follower_id = post.author_id AND followed_id = wanted.user_id
) = 0;

EXPLAIN EXECUTE find_visible (NULL, NULL);
