SET plan_cache_mode = force_generic_plan;

PREPARE try_lock_housekeeping (integer, integer) AS
SELECT pg_try_advisory_xact_lock($1, $2);

EXPLAIN EXECUTE try_lock_housekeeping (NULL, NULL);
