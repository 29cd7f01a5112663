CREATE TABLE notifications (
    id uuid CONSTRAINT notifications_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT fk_notifications_user REFERENCES users (id) ON DELETE CASCADE,
    actor_id bigint CONSTRAINT notifications_actor_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    type varchar(50) NOT NULL,
    title varchar(255) NOT NULL,
    message text NOT NULL,
    data jsonb CONSTRAINT notifications_data_check CHECK (jsonb_typeof(data) = 'object'),
    priority text NOT NULL DEFAULT 'normal'
        CONSTRAINT notifications_priority_check CHECK (priority IN ('low', 'normal', 'high')),
    read boolean NOT NULL DEFAULT false,
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_updated_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    parent_id uuid,
    is_batch boolean NOT NULL DEFAULT false,
    batch_count integer NOT NULL DEFAULT 1 CONSTRAINT notifications_batch_count_check CHECK (batch_count >= 0),
    actor_count integer NOT NULL DEFAULT 1 CONSTRAINT notifications_actor_count_check CHECK (actor_count >= 0),
    batch_key varchar(255),
    -- A conversion sets the parent of the single notification before the parent is inserted, in one transaction.
    CONSTRAINT fk_notifications_parent
        FOREIGN KEY (parent_id) REFERENCES notifications (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT chk_batch_structure
        CHECK ((is_batch AND parent_id IS NULL AND batch_count >= 1) OR NOT is_batch),
    CONSTRAINT chk_child_structure
        CHECK ((parent_id IS NOT NULL AND NOT is_batch) OR parent_id IS NULL)
);

-- One open notification per recipient and key, even with concurrent requests.
CREATE UNIQUE INDEX notifications_one_open
    ON notifications (user_id, batch_key)
    WHERE parent_id IS NULL AND closed_at IS NULL;

CREATE INDEX idx_notifications_user_id ON notifications (user_id);
CREATE INDEX idx_notifications_actor_id ON notifications (actor_id);
CREATE INDEX idx_notifications_created_at ON notifications (created_at DESC);
CREATE INDEX idx_notifications_read ON notifications (read);
CREATE INDEX idx_notifications_parent_id ON notifications (parent_id);
CREATE INDEX idx_notifications_is_batch ON notifications (is_batch);
CREATE INDEX idx_notifications_batch_key ON notifications (batch_key);
CREATE INDEX idx_notifications_last_updated_at ON notifications (last_updated_at DESC);
CREATE INDEX idx_notifications_user_parent_read ON notifications (user_id, parent_id, read);
CREATE INDEX idx_notifications_batch_key_user ON notifications (batch_key, user_id);
CREATE INDEX idx_notifications_batch_lookup ON notifications (user_id, batch_key, is_batch, created_at);
CREATE INDEX idx_notifications_timeline
    ON notifications (user_id, parent_id, last_updated_at DESC, created_at DESC);
CREATE INDEX idx_notifications_batch_children ON notifications (parent_id, created_at DESC);
CREATE INDEX idx_notifications_batch_key_recent
    ON notifications (batch_key, created_at) WHERE parent_id IS NULL;
