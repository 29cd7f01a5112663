-- The open notification of a batch key, by 8 bytes instead of some 60.
CREATE UNIQUE INDEX CONCURRENTLY notifications_one_open_hash
    ON notifications (user_id, hashtextextended(batch_key, 0)) WHERE parent_id IS NULL AND closed_at IS NULL;
