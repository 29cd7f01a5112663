WITH listed AS (
    SELECT * FROM unnest(:ids, :posts::uuid[], :comments::uuid[], :are_batches::boolean[]) AS listed (id, post_id, comment_id, is_batch)
), hidden AS MATERIALIZED (
    SELECT user_id FROM hidden_users(:owner)
)
SELECT listed.id, post.start, comment.start, person.id, person.username, person.display_name,
    person.profile_image_url, shown.emoji
FROM listed
LEFT JOIN LATERAL (
    SELECT left(posts.content, :chars::integer) AS start FROM posts
    WHERE posts.id = listed.post_id AND (
        posts.author_id = :owner AND posts.deleted_at IS NULL
        OR posts.is_public AND NOT (posts.author_id = ANY (SELECT user_id FROM hidden))
    )
    LIMIT 1
) AS post ON true
LEFT JOIN LATERAL (
    SELECT left(comments.content, :chars::integer) AS start FROM comments
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
            -- With a literal, PostgreSQL would sort all children of a batch if the average batch is small.
            ORDER BY it.created_at DESC, it.id DESC LIMIT (SELECT 100)
        ) AS entry
        GROUP BY actor_id
    ) AS recent
    WHERE listed.is_batch AND recent.actor_id IS NOT NULL
    ORDER BY CASE WHEN (SELECT following_count FROM users WHERE id = :owner) <= 1000
        THEN recent.actor_id = ANY (SELECT followed_id FROM follows WHERE follower_id = :owner AND status = 'active')
        ELSE (
            SELECT count(*) > 0 FROM follows
            WHERE follower_id = :owner AND followed_id = recent.actor_id AND status = 'active'
        )
    END DESC, recent.newest DESC, recent.actor_id DESC
    LIMIT :max_actors
) AS shown ON true
LEFT JOIN LATERAL (
    SELECT * FROM users WHERE users.id = shown.actor_id AND users.deleted_at IS NULL LIMIT 1
) AS person ON true
