SET plan_cache_mode = force_generic_plan;

PREPARE put_mark (bigint) AS
INSERT INTO marks (user_id, lsn) VALUES ($1, (pg_current_wal_flush_lsn() - '0/0')::bigint)
ON CONFLICT (user_id) DO UPDATE SET lsn = greatest(marks.lsn, excluded.lsn);

EXPLAIN EXECUTE put_mark (NULL);
