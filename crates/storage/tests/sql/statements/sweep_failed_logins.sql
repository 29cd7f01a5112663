SET plan_cache_mode = force_generic_plan;

PREPARE sweep_failed_logins (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM failed_logins WHERE full_at <= $1
    ORDER BY full_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM failed_logins AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE sweep_failed_logins (NULL, NULL);
