-- Exchanges the keys and the indexes that the migrations before have built. No table is read, so the locks are short.
-- Drops what it replaces in the same step, because no release had it.
ALTER TABLE notifications
    DROP CONSTRAINT fk_notifications_parent,
    DROP CONSTRAINT notifications_pkey;
ALTER INDEX notifications_user_id_id_key RENAME TO notifications_pkey;
ALTER TABLE notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY USING INDEX notifications_pkey,
    -- The next migration validates it.
    ADD CONSTRAINT fk_notifications_parent FOREIGN KEY (user_id, parent_id) REFERENCES notifications (user_id, id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;

DROP INDEX notifications_one_of_act;
ALTER INDEX notifications_one_of_act_hash RENAME TO notifications_one_of_act;
DROP INDEX idx_notifications_actor_id;
DROP INDEX notifications_one_open;
ALTER INDEX notifications_one_open_hash RENAME TO notifications_one_open;
