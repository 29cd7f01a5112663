SET plan_cache_mode = force_generic_plan;

PREPARE prune_suppressed (timestamp with time zone, text, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM suppressed_notifications WHERE suppressed_at < $1 AND reason <> $2
    ORDER BY suppressed_at LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM suppressed_notifications AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE prune_suppressed (NULL, NULL, NULL);
