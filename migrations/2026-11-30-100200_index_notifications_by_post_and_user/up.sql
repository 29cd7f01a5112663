-- The notifications of one user about a post are found without reading those of its author, who may have very many.
DROP INDEX idx_notifications_post_id;
CREATE INDEX idx_notifications_post_id ON notifications (post_id, user_id) WHERE post_id IS NOT NULL;
