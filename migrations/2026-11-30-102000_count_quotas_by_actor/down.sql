ALTER TABLE notification_quotas ADD COLUMN asked integer NOT NULL DEFAULT 0
    CONSTRAINT notification_quotas_asked_check CHECK (asked >= 0);
UPDATE notification_quotas SET asked = cardinality(actor_ids);
ALTER TABLE notification_quotas ALTER COLUMN asked DROP DEFAULT, DROP COLUMN actor_ids;

-- The columns are in their old order again if this one is the last.
ALTER TABLE notification_quotas ADD COLUMN held bigint NOT NULL DEFAULT 0;
UPDATE notification_quotas SET held = held_back;
ALTER TABLE notification_quotas DROP COLUMN held_back;
ALTER TABLE notification_quotas RENAME COLUMN held TO held_back;
ALTER TABLE notification_quotas
    ADD CONSTRAINT notification_quotas_held_back_check CHECK (held_back >= 0);
