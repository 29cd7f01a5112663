SET plan_cache_mode = force_generic_plan;

PREPARE running_transactions (text[]) AS
SELECT transactionid::text FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND datname = current_database()
    AND ($1 IS NULL OR transactionid::text = ANY ($1));

EXPLAIN EXECUTE running_transactions (NULL);
