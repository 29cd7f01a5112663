SET plan_cache_mode = force_generic_plan;

PREPARE load_withdrawals (bigint[], uuid[], bigint[], bigint[], text[], boolean) AS
WITH entry AS MATERIALIZED (
    SELECT it.* FROM unnest($1, $2) AS ref (user_id, id)
    JOIN notifications AS it ON it.user_id = ref.user_id AND it.id = ref.id
    UNION ALL
    SELECT it.* FROM unnest($3, $4, $5) AS cause (user_id, actor_id, act)
    JOIN notifications AS it
        ON it.user_id = cause.user_id AND it.actor_id = cause.actor_id AND it.act = cause.act
        AND hashtextextended(it.act, 0) = hashtextextended(cause.act, 0)
), loss AS (
    SELECT user_id, coalesce(parent_id, id) AS top_id, array_agg(id) AS ids, array_agg(DISTINCT actor_id) AS actors,
        jsonb_agg(to_jsonb(entry)) AS gone, count(*) FILTER (WHERE $6) AS entries
    FROM entry GROUP BY user_id, coalesce(parent_id, id)
)
SELECT to_jsonb(top), loss.gone,
    (top.batch_count - loss.entries)::integer,
    (top.actor_count - (
        SELECT count(*) FROM unnest(loss.actors) AS gone (actor_id)
        WHERE $6 AND NOT EXISTS (
            SELECT FROM notifications AS it
            WHERE it.parent_id = top.id AND it.actor_id = gone.actor_id AND NOT (it.id = ANY (loss.ids))
        )
    ))::integer,
    to_jsonb(newest),
    NOT EXISTS (
        SELECT FROM notifications AS it
        WHERE it.parent_id = top.id AND NOT it.read AND NOT ($6 AND it.id = ANY (loss.ids))
    )
FROM loss
JOIN notifications AS top ON top.user_id = loss.user_id AND top.id = loss.top_id
LEFT JOIN LATERAL (
    SELECT it.* FROM notifications AS it
    WHERE it.parent_id = top.id AND NOT ($6 AND it.id = ANY (loss.ids))
    ORDER BY it.created_at DESC, it.id DESC LIMIT 1
) AS newest ON true;

EXPLAIN EXECUTE load_withdrawals (NULL, NULL, NULL, NULL, NULL, NULL);
