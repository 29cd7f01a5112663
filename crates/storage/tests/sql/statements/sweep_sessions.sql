SET plan_cache_mode = force_generic_plan;

PREPARE sweep_sessions (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM sessions WHERE expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM sessions AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE sweep_sessions (NULL, NULL);
