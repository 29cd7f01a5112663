-- Notifications that left an inbox, kept as long as a stream may resume from a position before their removal.
CREATE TABLE notification_removals (
    user_id bigint NOT NULL
        CONSTRAINT notification_removals_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    notification_id uuid NOT NULL,
    removed_at timestamptz NOT NULL,
    CONSTRAINT notification_removals_pkey PRIMARY KEY (user_id, seq)
);

CREATE INDEX idx_notification_removals_removed_at ON notification_removals (removed_at);
