ALTER TABLE notification_quotas ADD COLUMN asked integer NOT NULL DEFAULT 0
    CONSTRAINT notification_quotas_asked_check CHECK (asked >= 0);
UPDATE notification_quotas SET asked = cardinality(actor_ids);
ALTER TABLE notification_quotas ALTER COLUMN asked DROP DEFAULT, DROP COLUMN actor_ids;
