-- Each index serves a query; docs/decisions/0012 says which one stands for those that went.
DROP INDEX idx_notifications_user_id;
DROP INDEX idx_notifications_created_at;
DROP INDEX idx_notifications_read;
DROP INDEX idx_notifications_parent_id;
DROP INDEX idx_notifications_is_batch;
DROP INDEX idx_notifications_batch_key;
DROP INDEX idx_notifications_last_updated_at;
DROP INDEX idx_notifications_user_parent_read;
DROP INDEX idx_notifications_batch_key_user;
DROP INDEX idx_notifications_batch_lookup;
DROP INDEX idx_notifications_timeline;
DROP INDEX idx_notifications_batch_children;
DROP INDEX idx_notifications_batch_key_recent;

-- The list, the unread ones of it, and what changed in it since.
CREATE INDEX idx_notifications_timeline
    ON notifications (user_id, last_updated_at DESC, id DESC) WHERE parent_id IS NULL;
CREATE INDEX idx_notifications_user_parent_read
    ON notifications (user_id, last_updated_at DESC, id DESC) WHERE parent_id IS NULL AND NOT read;
CREATE INDEX idx_notifications_user_id ON notifications (user_id, seq) WHERE parent_id IS NULL;
-- The entries of a batch, and whether somebody is among them.
CREATE INDEX idx_notifications_batch_children
    ON notifications (parent_id, created_at DESC, id DESC) WHERE parent_id IS NOT NULL;
CREATE INDEX idx_notifications_parent_id ON notifications (parent_id, actor_id) WHERE parent_id IS NOT NULL;
-- What is old enough to go.
CREATE INDEX idx_notifications_last_updated_at
    ON notifications (last_updated_at) WHERE parent_id IS NULL AND read;
