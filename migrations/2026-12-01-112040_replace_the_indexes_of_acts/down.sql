-- Older versions expect the act in each row.
UPDATE notifications SET act = notification_act(act, type, post_id, comment_id) WHERE act = '';
ALTER INDEX idx_notifications_parent_id RENAME TO idx_notifications_parent_id_acts;
CREATE INDEX idx_notifications_parent_id ON notifications (parent_id, actor_id) WHERE parent_id IS NOT NULL;
ALTER INDEX notifications_one_of_act RENAME TO notifications_one_of_act_implied;
CREATE UNIQUE INDEX notifications_one_of_act ON notifications (actor_id, user_id, hashtextextended(act, 0));
