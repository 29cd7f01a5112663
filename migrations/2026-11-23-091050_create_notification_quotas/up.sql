-- How many new notifications of a type were requested for a user since the window opened, and how many were ever held back.
CREATE TABLE notification_quotas (
    user_id bigint NOT NULL
        CONSTRAINT notification_quotas_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    type varchar(50) NOT NULL,
    window_opened_at timestamptz NOT NULL,
    asked integer NOT NULL CONSTRAINT notification_quotas_asked_check CHECK (asked >= 0),
    held_back bigint NOT NULL DEFAULT 0 CONSTRAINT notification_quotas_held_back_check CHECK (held_back >= 0),
    CONSTRAINT notification_quotas_pkey PRIMARY KEY (user_id, type)
);
