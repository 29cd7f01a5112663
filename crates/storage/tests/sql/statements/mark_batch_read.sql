SET plan_cache_mode = force_generic_plan;

PREPARE mark_batch_read (bigint, timestamp with time zone, bigint, bigint) AS
WITH unread AS MATERIALIZED (
    SELECT ctid AS place, id FROM notifications
    WHERE user_id = $1 AND parent_id IS NULL AND NOT read AND (last_updated_at <= $2 OR seq <= $3)
    LIMIT $4
), child AS MATERIALIZED (
    SELECT it.place FROM unread, LATERAL (
        SELECT ctid AS place FROM notifications WHERE parent_id = unread.id AND NOT read LIMIT $4
    ) AS it LIMIT $4
), marked_children AS (
    UPDATE notifications SET read = true, read_at = $2
    WHERE ctid = ANY (ARRAY(SELECT place FROM child)) AND user_id = $1
    RETURNING parent_id
), size AS (
    SELECT (SELECT count(*) FROM unread) AS parents, (SELECT count(*) FROM marked_children) AS children
), complete AS (
    SELECT unread.place, row_number() OVER (ORDER BY unread.id) AS number FROM unread, size
    WHERE size.children < $4
), counted AS (
    UPDATE inboxes SET last_seq = last_seq + (SELECT count(*) FROM complete),
        unread_count = greatest(unread_count - (SELECT count(*) FROM complete), 0)
    WHERE user_id = $1
    RETURNING last_seq - (SELECT count(*) FROM complete) AS seq
), marked AS (
    UPDATE notifications AS it SET read = true, read_at = $2, seq = counted.seq + complete.number
    FROM complete, counted WHERE it.ctid = complete.place AND it.user_id = $1
)
SELECT size.children < $4 AND size.parents < $4 FROM size;

EXPLAIN EXECUTE mark_batch_read (NULL, NULL, NULL, NULL);
