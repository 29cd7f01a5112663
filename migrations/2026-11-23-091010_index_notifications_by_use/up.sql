-- Each index serves a query; docs/decisions/0012 says which one replaces those that are dropped.
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

-- The inbox, its unread notifications, and its changes since a number.
CREATE INDEX idx_notifications_timeline
    ON notifications (user_id, last_updated_at DESC, id DESC) WHERE parent_id IS NULL;
CREATE INDEX idx_notifications_user_parent_read
    ON notifications (user_id, last_updated_at DESC, id DESC) WHERE parent_id IS NULL AND NOT read;
CREATE INDEX idx_notifications_user_id ON notifications (user_id, seq) WHERE parent_id IS NULL;
-- The children of a batch, and whether a user is among their actors.
CREATE INDEX idx_notifications_batch_children
    ON notifications (parent_id, created_at DESC, id DESC) WHERE parent_id IS NOT NULL;
CREATE INDEX idx_notifications_parent_id ON notifications (parent_id, actor_id) WHERE parent_id IS NOT NULL;
-- Notifications that are old enough to be deleted.
CREATE INDEX idx_notifications_last_updated_at
    ON notifications (last_updated_at) WHERE parent_id IS NULL AND read;
