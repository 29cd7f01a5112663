WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(:recipients, :actors, :acts, :keys, :posts)
        WITH ORDINALITY AS wanted (user_id, actor_id, act, batch_key, post_id, number)
), entry AS MATERIALIZED (
    SELECT it.* FROM unnest(:ids_of, :ids) AS ref (user_id, id)
    JOIN notifications AS it ON it.user_id = ref.user_id AND it.id = ref.id
    UNION ALL
    SELECT it.* FROM wanted JOIN notifications AS it
        ON it.user_id = wanted.user_id AND it.actor_id = wanted.actor_id
        AND notification_act(it.act, it.type, it.post_id, it.comment_id) = wanted.act
        AND hashtextextended(notification_act(it.act, it.type, it.post_id, it.comment_id), 0)
            = hashtextextended(wanted.act, 0)
), withdrawn AS MATERIALIZED (
    SELECT it.* FROM wanted JOIN withdrawn_notifications AS it
        ON it.user_id = wanted.user_id AND it.actor_id = wanted.actor_id AND it.act = wanted.act
), touched AS (
    -- Each top-level notification with the actors of the acts, and with its children among the entries.
    SELECT user_id, id, array_agg(DISTINCT actor_id) AS actors, array_remove(array_agg(entry_id), NULL) AS entries FROM (
        SELECT user_id, coalesce(parent_id, id) AS id, actor_id, id AS entry_id FROM entry
        UNION ALL SELECT user_id, parent_id, actor_id, NULL FROM withdrawn WHERE parent_id IS NOT NULL
        UNION ALL
        SELECT it.user_id, it.id, wanted.actor_id, NULL FROM wanted JOIN notifications AS it
            ON it.user_id = wanted.user_id AND it.batch_key = wanted.batch_key
            AND hashtextextended(it.batch_key, 0) = hashtextextended(wanted.batch_key, 0)
            AND it.parent_id IS NULL AND it.closed_at IS NULL
    ) AS it GROUP BY user_id, id
)
SELECT jsonb_build_object('update', jsonb_build_object(
    'number', wanted.number,
    'switches', recipient.profile_preferences -> 'notifications',
    'is_blocked', (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = wanted.actor_id AND followed_id = wanted.user_id
    ) + (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = wanted.user_id AND followed_id = wanted.actor_id
    ) + CASE WHEN post.author_id NOT IN (wanted.user_id, wanted.actor_id) THEN (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = post.author_id AND followed_id = wanted.user_id
    ) + (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = wanted.user_id AND followed_id = post.author_id
    ) ELSE 0 END > 0 OR (NOT post.is_public AND post.author_id <> wanted.user_id) IS TRUE
))
FROM wanted
JOIN users AS actor ON actor.id = wanted.actor_id
JOIN users AS recipient ON recipient.id = wanted.user_id
LEFT JOIN posts AS post ON post.id = wanted.post_id
UNION ALL
SELECT jsonb_build_object('entry', to_jsonb(entry)) FROM entry
UNION ALL
SELECT jsonb_build_object('parent', jsonb_build_object(
    'notification', to_jsonb(top),
    'newest', to_jsonb(newest),
    'actors', ARRAY(
        SELECT actor_id FROM unnest(touched.actors) AS actor (actor_id) WHERE EXISTS (
            SELECT FROM notifications AS it
            WHERE it.parent_id = top.id AND it.actor_id = actor.actor_id AND NOT (it.id = ANY (touched.entries))
                AND it.type::text <> ALL ('{like,emoji_reaction,follow}'::text[])
        ) OR EXISTS (
            -- The heart or the reaction. The follow is always an entry.
            SELECT FROM unnest(ARRAY['like', 'emoji_reaction']) AS kind JOIN notifications AS it
                ON hashtextextended(notification_act(it.act, it.type, it.post_id, it.comment_id), 0)
                    = hashtextextended(kind || ':post:' || top.post_id::text, 0)
            WHERE it.user_id = top.user_id AND it.actor_id = actor.actor_id AND it.parent_id = top.id
                AND NOT (it.id = ANY (touched.entries))
        )
    ),
    'has_unread', EXISTS (
        SELECT FROM notifications AS it
        WHERE it.parent_id = top.id AND NOT it.read AND NOT (it.id = ANY (touched.entries))
    )
))
FROM touched
JOIN notifications AS top ON top.user_id = touched.user_id AND top.id = touched.id
LEFT JOIN LATERAL (
    SELECT it.* FROM notifications AS it
    WHERE it.parent_id = top.id AND NOT (it.id = ANY (touched.entries))
    ORDER BY it.created_at DESC, it.id DESC LIMIT 1
) AS newest ON true
UNION ALL
SELECT jsonb_build_object('withdrawn', to_jsonb(withdrawn)) FROM withdrawn
UNION ALL
SELECT jsonb_build_object('quota', to_jsonb(quota)) FROM notification_quotas AS quota WHERE user_id = ANY (:owners)
