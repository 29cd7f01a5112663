-- Whether a batch still has an unread child after a withdrawal.
CREATE INDEX CONCURRENTLY idx_notifications_unread_children
    ON notifications (parent_id) WHERE parent_id IS NOT NULL AND NOT read;
