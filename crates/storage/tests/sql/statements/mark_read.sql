SET plan_cache_mode = force_generic_plan;

PREPARE mark_read (bigint[], uuid[], timestamp with time zone[], bigint[]) AS
WITH act AS MATERIALIZED (
    SELECT * FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS act (user_id, id, at, seq, number)
), unread AS MATERIALIZED (
    SELECT DISTINCT ON (it.id) it.place, act.user_id, act.at, act.seq FROM act, LATERAL (
        SELECT it.id, it.ctid AS place FROM notifications AS it
        WHERE it.user_id = act.user_id AND it.id = act.id AND NOT it.read
        UNION ALL
        SELECT it.id, it.ctid FROM notifications AS it
        WHERE it.parent_id = act.id AND it.user_id = act.user_id AND NOT it.read
    ) AS it ORDER BY it.id, act.number
), marked AS (
    UPDATE notifications AS it SET read = true, read_at = unread.at,
        seq = CASE WHEN it.parent_id IS NULL THEN unread.seq ELSE it.seq END
    FROM unread WHERE it.ctid = unread.place AND it.user_id = unread.user_id
    RETURNING it.user_id, it.parent_id
), counted AS (
    UPDATE inboxes SET unread_count = greatest(unread_count - (
        SELECT count(*) FROM marked WHERE marked.user_id = inboxes.user_id AND marked.parent_id IS NULL
    ), 0)
    WHERE user_id = ANY (ARRAY(SELECT user_id FROM marked WHERE parent_id IS NULL))
)
SELECT number FROM act
WHERE EXISTS (SELECT FROM notifications AS it WHERE it.user_id = act.user_id AND it.id = act.id);

EXPLAIN EXECUTE mark_read (NULL, NULL, NULL, NULL);
