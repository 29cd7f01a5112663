SET plan_cache_mode = force_generic_plan;

PREPARE load_inbox_contexts (bigint[], bigint[], text[], text[], uuid[]) AS
WITH wanted AS (
    SELECT * FROM unnest($1, $2, $3, $4, $5)
        WITH ORDINALITY AS wanted (user_id, actor_id, act, batch_key, post_id, number)
)
SELECT wanted.number, recipient.profile_preferences -> 'notifications',
    (
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
    ) ELSE 0 END > 0 OR (NOT post.is_public AND post.author_id <> wanted.user_id) IS TRUE,
    EXISTS (
        SELECT FROM notifications AS it
        WHERE it.user_id = wanted.user_id AND it.actor_id = wanted.actor_id AND it.act = wanted.act
            AND hashtextextended(it.act, 0) = hashtextextended(wanted.act, 0)
    ),
    to_jsonb(withdrawn), to_jsonb(top), newest.created_at, newest.id, beside.is_any
FROM wanted
JOIN users AS actor ON actor.id = wanted.actor_id
JOIN users AS recipient ON recipient.id = wanted.user_id
LEFT JOIN posts AS post ON post.id = wanted.post_id
LEFT JOIN withdrawn_notifications AS withdrawn
    ON withdrawn.user_id = wanted.user_id AND withdrawn.actor_id = wanted.actor_id
    AND withdrawn.act = wanted.act
LEFT JOIN LATERAL (
    SELECT it.* FROM notifications AS it
    WHERE it.user_id = wanted.user_id AND it.id = withdrawn.parent_id AND it.is_batch
    UNION ALL
    SELECT it.* FROM notifications AS it
    WHERE it.user_id = wanted.user_id AND it.batch_key = wanted.batch_key
        AND hashtextextended(it.batch_key, 0) = hashtextextended(wanted.batch_key, 0)
        AND it.parent_id IS NULL AND it.closed_at IS NULL
        AND it.id IS DISTINCT FROM withdrawn.parent_id
) AS top ON true
LEFT JOIN LATERAL (
    SELECT it.created_at, it.id FROM notifications AS it WHERE it.parent_id = top.id
    ORDER BY it.created_at DESC, it.id DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM notifications AS it WHERE it.parent_id = top.id AND it.actor_id = wanted.actor_id
    ) OR (NOT top.is_batch AND top.actor_id = wanted.actor_id) AS is_any
) AS beside ON true;

EXPLAIN EXECUTE load_inbox_contexts (NULL, NULL, NULL, NULL, NULL);
