-- Notifications that were withdrawn because their act was undone. If the act is repeated soon, the notification is restored.
CREATE TABLE withdrawn_notifications (
    user_id bigint NOT NULL
        CONSTRAINT withdrawn_notifications_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    actor_id bigint NOT NULL
        CONSTRAINT withdrawn_notifications_actor_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    act text NOT NULL,
    notification_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    parent_id uuid,
    withdrawn_at timestamptz NOT NULL,
    CONSTRAINT withdrawn_notifications_pkey PRIMARY KEY (user_id, actor_id, act)
);

CREATE INDEX idx_withdrawn_notifications_actor_id ON withdrawn_notifications (actor_id);
CREATE INDEX idx_withdrawn_notifications_withdrawn_at ON withdrawn_notifications (withdrawn_at);
