SET plan_cache_mode = force_generic_plan;

PREPARE begin_mark_epoch (boolean) AS
INSERT INTO mark_epochs (id, lsn) VALUES ($1, (pg_current_wal_flush_lsn() - '0/0')::bigint)
ON CONFLICT (id) DO NOTHING;

EXPLAIN EXECUTE begin_mark_epoch (NULL);
