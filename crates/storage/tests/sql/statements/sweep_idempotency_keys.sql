SET plan_cache_mode = force_generic_plan;

PREPARE sweep_idempotency_keys (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM idempotency_keys WHERE claimed_at < $1
    ORDER BY claimed_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM idempotency_keys AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE sweep_idempotency_keys (NULL, NULL);
