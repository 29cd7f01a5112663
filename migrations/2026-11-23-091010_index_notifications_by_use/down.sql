DROP INDEX idx_notifications_timeline;
DROP INDEX idx_notifications_user_parent_read;
DROP INDEX idx_notifications_user_id;
DROP INDEX idx_notifications_batch_children;
DROP INDEX idx_notifications_parent_id;
DROP INDEX idx_notifications_last_updated_at;

CREATE INDEX idx_notifications_user_id ON notifications (user_id);
CREATE INDEX idx_notifications_created_at ON notifications (created_at DESC);
CREATE INDEX idx_notifications_read ON notifications (read);
CREATE INDEX idx_notifications_parent_id ON notifications (parent_id);
CREATE INDEX idx_notifications_is_batch ON notifications (is_batch);
CREATE INDEX idx_notifications_batch_key ON notifications (batch_key);
CREATE INDEX idx_notifications_last_updated_at ON notifications (last_updated_at DESC);
CREATE INDEX idx_notifications_user_parent_read ON notifications (user_id, parent_id, read);
CREATE INDEX idx_notifications_batch_key_user ON notifications (batch_key, user_id);
CREATE INDEX idx_notifications_batch_lookup ON notifications (user_id, batch_key, is_batch, created_at);
CREATE INDEX idx_notifications_timeline
    ON notifications (user_id, parent_id, last_updated_at DESC, created_at DESC);
CREATE INDEX idx_notifications_batch_children ON notifications (parent_id, created_at DESC);
CREATE INDEX idx_notifications_batch_key_recent
    ON notifications (batch_key, created_at) WHERE parent_id IS NULL;
