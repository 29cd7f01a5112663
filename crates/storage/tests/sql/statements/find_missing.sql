SET plan_cache_mode = force_generic_plan;

PREPARE find_missing (jsonb, jsonb, timestamp with time zone) AS
WITH it AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1) AS it (
        number integer, type text, user_id bigint, actor_id bigint, act text, post_id uuid, comment_id uuid,
        at timestamptz, content text, username text
    )
), explained AS MATERIALIZED (
    SELECT accepted.number
    FROM jsonb_to_recordset($2) AS accepted (number integer, user_id bigint, actor_id bigint, act text)
    WHERE 0 < (
        SELECT count(*) FROM notifications AS found
        WHERE found.user_id = accepted.user_id AND found.actor_id = accepted.actor_id
            AND notification_act(found.act, found.type, found.post_id, found.comment_id) = accepted.act
            AND hashtextextended(notification_act(found.act, found.type, found.post_id, found.comment_id), 0)
                = hashtextextended(accepted.act, 0)
    ) + (
        SELECT count(*) FROM suppressed_notifications AS found
        WHERE found.user_id = accepted.user_id AND found.actor_id = accepted.actor_id
            AND found.act = accepted.act AND (found.reason <> 'restored' OR found.suppressed_at < $3)
    )
)
SELECT it.number FROM it
JOIN users AS recipient ON recipient.id = it.user_id AND recipient.deleted_at IS NULL
JOIN users AS actor ON actor.id = it.actor_id AND actor.deleted_at IS NULL
LEFT JOIN posts AS post ON post.id = it.post_id
LEFT JOIN comments AS comment ON comment.id = it.comment_id
WHERE it.number NOT IN (SELECT number FROM explained)
    AND it.user_id <> it.actor_id
    AND $3 <= it.at
    AND post.deleted_at IS NULL
    AND (post.id IS NULL OR post.is_public OR post.author_id = it.user_id)
    AND (it.content IS NULL OR it.content = coalesce(comment.content, post.content))
    AND (it.username IS NULL OR (
        lower(recipient.username) = it.username
        AND greatest(recipient.created_at, recipient.username_changed_at) <= it.at
    ))
    AND 0 = (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = it.user_id AND followed_id IN (it.actor_id, post.author_id)
    ) + (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE followed_id = it.user_id AND follower_id IN (it.actor_id, post.author_id)
    )
    AND CASE it.type WHEN 'like' THEN EXISTS (
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
            ) WHEN 'post_interaction' THEN false END IS TRUE
ORDER BY it.number;

EXPLAIN EXECUTE find_missing (NULL, NULL, NULL);
