SET plan_cache_mode = force_generic_plan;

PREPARE repair_post (uuid) AS
UPDATE posts AS counted SET
    hearts_count = (SELECT count(*) FROM likes WHERE post_id = counted.id),
    reactions_count = (SELECT count(*) FROM emoji_reactions WHERE post_id = counted.id),
    shares_count = (SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = counted.id),
    comments_count = (SELECT count(*) FROM comments WHERE post_id = counted.id)
WHERE id = $1;

EXPLAIN EXECUTE repair_post (NULL);
