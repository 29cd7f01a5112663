-- Acts without a notification, for a reason that the rows of the act do not show. Without it, such an act would look
-- like one whose notification was lost. A restored notification is older than its act: suppressed_at is then its time.
CREATE TABLE suppressed_notifications (
    user_id bigint NOT NULL
        CONSTRAINT suppressed_notifications_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    actor_id bigint NOT NULL
        CONSTRAINT suppressed_notifications_actor_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    act text NOT NULL,
    reason text NOT NULL CONSTRAINT suppressed_notifications_reason_check CHECK (
        reason IN ('muted', 'blocked', 'held_back', 'withdrawn', 'restored', 'unknown')
    ),
    suppressed_at timestamptz NOT NULL,
    CONSTRAINT suppressed_notifications_pkey PRIMARY KEY (user_id, actor_id, act)
);

CREATE INDEX idx_suppressed_notifications_actor_id ON suppressed_notifications (actor_id);
CREATE INDEX idx_suppressed_notifications_suppressed_at
    ON suppressed_notifications (suppressed_at) WHERE reason <> 'restored';
