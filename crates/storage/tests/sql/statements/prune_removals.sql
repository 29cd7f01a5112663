SET plan_cache_mode = force_generic_plan;

PREPARE prune_removals (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place, user_id FROM notification_removals
    WHERE removed_at < $1 ORDER BY removed_at LIMIT $2
), inbox AS MATERIALIZED (
    SELECT user_id FROM inboxes WHERE user_id = ANY (ARRAY(SELECT user_id FROM part))
    ORDER BY user_id FOR UPDATE
), gone AS (
    DELETE FROM notification_removals AS it
    WHERE it.ctid = ANY (ARRAY(SELECT part.place FROM part JOIN inbox ON inbox.user_id = part.user_id))
        AND it.user_id = ANY (ARRAY(SELECT user_id FROM inbox))
    RETURNING it.user_id, it.seq
), forgotten AS (
    UPDATE inboxes SET forgotten_seq = greatest(forgotten_seq, old.seq)
    FROM (SELECT user_id, max(seq) AS seq FROM gone GROUP BY user_id) AS old
    WHERE inboxes.user_id = old.user_id
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE prune_removals (NULL, NULL);
