SET plan_cache_mode = force_generic_plan;

PREPARE find_without_act (bigint, uuid) AS
SELECT id, user_id FROM notifications AS it
WHERE it.user_id = $1 AND (it.id = $2 OR it.parent_id = $2) AND NOT it.is_batch AND NOT CASE it.type WHEN 'like' THEN EXISTS (
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
            ) WHEN 'post_interaction' THEN false END IS TRUE;

EXPLAIN EXECUTE find_without_act (NULL, NULL);
