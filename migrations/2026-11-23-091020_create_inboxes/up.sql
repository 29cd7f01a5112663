-- Whoever changes somebody's notifications locks their inbox first, so that changes of one list have an order, and a
-- stream that has read one of them misses none before it.
CREATE TABLE inboxes (
    user_id bigint CONSTRAINT inboxes_pkey PRIMARY KEY
        CONSTRAINT inboxes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    last_seq bigint NOT NULL DEFAULT 0,
    forgotten_seq bigint NOT NULL DEFAULT 0,
    CONSTRAINT inboxes_seq_check CHECK (forgotten_seq <= last_seq)
);
