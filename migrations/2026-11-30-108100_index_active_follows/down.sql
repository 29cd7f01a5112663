DROP INDEX CONCURRENTLY idx_follows_active;
