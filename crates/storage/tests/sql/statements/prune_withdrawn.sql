SET plan_cache_mode = force_generic_plan;

PREPARE prune_withdrawn (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM withdrawn_notifications WHERE withdrawn_at < $1
    ORDER BY withdrawn_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM withdrawn_notifications AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE prune_withdrawn (NULL, NULL);
