SET plan_cache_mode = force_generic_plan;

PREPARE load_shown (uuid[], uuid[], uuid[], boolean[], bigint, integer, bigint) AS
WITH listed AS (
    SELECT * FROM unnest($1, $2::uuid[], $3::uuid[], $4::boolean[]) AS listed (id, post_id, comment_id, is_batch)
), hidden AS MATERIALIZED (
    SELECT user_id FROM hidden_users($5)
)
SELECT listed.id, post.start, comment.start, person.id, person.username, person.display_name,
    person.profile_image_url, shown.emoji
FROM listed
LEFT JOIN LATERAL (
    SELECT left(posts.content, $6::integer) AS start FROM posts
    WHERE posts.id = listed.post_id AND (
        posts.author_id = $5 AND posts.deleted_at IS NULL
        OR posts.is_public AND NOT (posts.author_id = ANY (SELECT user_id FROM hidden))
    )
    LIMIT 1
) AS post ON true
LEFT JOIN LATERAL (
    SELECT left(comments.content, $6::integer) AS start FROM comments
    WHERE comments.id = listed.comment_id AND comments.post_id = listed.post_id
        AND post.start IS NOT NULL
        AND comments.deleted_at IS NULL
        AND NOT (comments.author_id = ANY (SELECT user_id FROM hidden))
    LIMIT 1
) AS comment ON true
LEFT JOIN LATERAL (
    SELECT recent.actor_id, recent.emoji
    FROM (
        SELECT actor_id, max(created_at) AS newest, max(data ->> 'emoji_code') AS emoji
        FROM (
            SELECT actor_id, created_at, data FROM notifications AS it WHERE it.parent_id = listed.id
            ORDER BY it.created_at DESC, it.id DESC LIMIT (SELECT 100)
        ) AS entry
        GROUP BY actor_id
    ) AS recent
    WHERE listed.is_batch AND recent.actor_id IS NOT NULL
    ORDER BY CASE WHEN (SELECT following_count FROM users WHERE id = $5) <= 1000
        THEN recent.actor_id = ANY (SELECT followed_id FROM follows WHERE follower_id = $5 AND status = 'active')
        ELSE (
            SELECT count(*) > 0 FROM follows
            WHERE follower_id = $5 AND followed_id = recent.actor_id AND status = 'active'
        )
    END DESC, recent.newest DESC, recent.actor_id DESC
    LIMIT $7
) AS shown ON true
LEFT JOIN LATERAL (
    SELECT * FROM users WHERE users.id = shown.actor_id AND users.deleted_at IS NULL LIMIT 1
) AS person ON true;

EXPLAIN EXECUTE load_shown (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
