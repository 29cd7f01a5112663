DROP INDEX idx_notifications_post_id;
CREATE INDEX idx_notifications_post_id ON notifications (post_id) WHERE post_id IS NOT NULL;
