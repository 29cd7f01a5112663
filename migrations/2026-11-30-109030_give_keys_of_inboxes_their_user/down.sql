ALTER INDEX notifications_one_open RENAME TO notifications_one_open_hash;
CREATE UNIQUE INDEX notifications_one_open ON notifications (user_id, batch_key)
    WHERE parent_id IS NULL AND closed_at IS NULL;
CREATE INDEX idx_notifications_actor_id ON notifications (actor_id);
ALTER INDEX notifications_one_of_act RENAME TO notifications_one_of_act_hash;
CREATE UNIQUE INDEX notifications_one_of_act ON notifications (user_id, actor_id, act);

-- Older versions expect the key of a batch in its children, too.
UPDATE notifications AS child SET batch_key = top.batch_key
FROM notifications AS top WHERE top.id = child.parent_id AND child.batch_key IS NULL;

ALTER TABLE notifications
    DROP CONSTRAINT fk_notifications_parent,
    DROP CONSTRAINT notifications_pkey;
ALTER TABLE notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id),
    ADD CONSTRAINT fk_notifications_parent FOREIGN KEY (parent_id) REFERENCES notifications (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX notifications_user_id_id_key ON notifications (user_id, id);
