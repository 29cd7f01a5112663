-- act says what the notification is about, so that it is recorded once and can be withdrawn. seq is the number of its last
-- change among all changes of the inbox, from which a stream can resume.
ALTER TABLE notifications
    ADD COLUMN act text,
    ADD COLUMN post_id uuid CONSTRAINT notifications_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
    ADD COLUMN comment_id uuid CONSTRAINT notifications_comment_id_fkey REFERENCES comments (id) ON DELETE CASCADE,
    ADD COLUMN seq bigint NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX notifications_one_of_act ON notifications (user_id, actor_id, act);
CREATE INDEX idx_notifications_post_id ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX idx_notifications_comment_id ON notifications (comment_id) WHERE comment_id IS NOT NULL;
