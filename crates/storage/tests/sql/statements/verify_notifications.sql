SET plan_cache_mode = force_generic_plan;

PREPARE verify_notifications (bigint, uuid, bigint) AS
WITH top AS MATERIALIZED (
    SELECT * FROM notifications WHERE (user_id, id) > ($1, $2) AND parent_id IS NULL
    ORDER BY user_id, id LIMIT $3
)
SELECT top.user_id || '/' || top.id, counter.name, counter.stored::bigint, counter.actual
FROM top, LATERAL (
    SELECT count(*) AS children, count(DISTINCT it.actor_id) AS actors,
        count(*) FILTER (WHERE top.read AND NOT it.read) AS unread,
        count(*) FILTER (WHERE NOT it.is_batch AND CASE it.type WHEN 'like' THEN EXISTS (
                SELECT FROM likes WHERE likes.user_id = it.actor_id AND likes.post_id = it.post_id
            ) WHEN 'emoji_reaction' THEN EXISTS (
                SELECT FROM emoji_reactions
                WHERE emoji_reactions.user_id = it.actor_id AND emoji_reactions.post_id = it.post_id
            ) WHEN 'post_shared' THEN EXISTS (
                SELECT FROM shares
                WHERE shares.user_id = it.actor_id AND shares.post_id = it.post_id
                    AND notification_act(it.act, it.type, it.post_id, it.comment_id) = CASE share_method
                        WHEN 'url' THEN 'post_shared:post:' || shares.post_id
                        ELSE 'post_shared:share:' || shares.id
                    END
            ) WHEN 'mention' THEN CASE
                WHEN it.comment_id IS NULL THEN EXISTS (
                    SELECT FROM posts
                    WHERE posts.id = it.post_id AND posts.author_id = it.actor_id AND (
                        posts.is_public OR posts.deleted_at IS NOT NULL OR EXISTS (
                            SELECT FROM background_jobs
                            WHERE kind = 'withdraw_hidden_post' AND background_jobs.post_id = posts.id
                        )
                    )
                )
                ELSE EXISTS (
                    SELECT FROM comments JOIN posts ON posts.id = comments.post_id
                    WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
                        AND (
                            posts.is_public OR posts.author_id = it.user_id OR posts.deleted_at IS NOT NULL OR EXISTS (
                                SELECT FROM background_jobs
                                WHERE kind = 'withdraw_hidden_post' AND background_jobs.post_id = posts.id
                            )
                        )
                )
            END WHEN 'follow' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'active'
            ) WHEN 'follow_request' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'pending'
            ) WHEN 'follow_accepted' THEN EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.user_id AND followed_id = it.actor_id AND status = 'active'
            ) WHEN 'comment' THEN EXISTS (
                SELECT FROM comments WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
            ) WHEN 'comment_reply' THEN EXISTS (
                SELECT FROM comments WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
            ) WHEN 'post_interaction' THEN false END IS TRUE) AS caused
    FROM (
        SELECT * FROM notifications WHERE parent_id = top.id AND user_id = top.user_id
        UNION ALL
        SELECT * FROM notifications WHERE user_id = top.user_id AND id = top.id AND NOT top.is_batch
    ) AS it
) AS entry, LATERAL (VALUES
    ('batch_count', batch_count, children),
    ('actor_count', actor_count, actors),
    ('unread entries below what was read', unread, 0),
    ('entries, which acts have caused', children, caused),
    ('open under its key', 1, CASE
        WHEN closed_at IS NULL AND batch_key IS NOT NULL THEN (
            SELECT count(*) FROM notifications AS it
            WHERE it.user_id = top.user_id AND it.batch_key = top.batch_key
                AND hashtextextended(it.batch_key, 0) = hashtextextended(top.batch_key, 0)
                AND it.parent_id IS NULL AND it.closed_at IS NULL
        )
        ELSE 1
    END)
) AS counter (name, stored, actual)
ORDER BY top.user_id, top.id;

EXPLAIN EXECUTE verify_notifications (NULL, NULL, NULL);
