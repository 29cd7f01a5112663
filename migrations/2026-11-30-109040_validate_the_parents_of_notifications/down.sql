ALTER TABLE notifications DROP CONSTRAINT fk_notifications_parent;
ALTER TABLE notifications
    ADD CONSTRAINT fk_notifications_parent FOREIGN KEY (user_id, parent_id) REFERENCES notifications (user_id, id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;
