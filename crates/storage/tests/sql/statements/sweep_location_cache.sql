SET plan_cache_mode = force_generic_plan;

PREPARE sweep_location_cache (timestamp with time zone, bigint, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM location_cache WHERE stored_at <= greatest(
        $1, (SELECT stored_at FROM location_cache ORDER BY stored_at DESC OFFSET $2 LIMIT 1)
    )
    ORDER BY stored_at LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM location_cache AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE sweep_location_cache (NULL, NULL, NULL);
