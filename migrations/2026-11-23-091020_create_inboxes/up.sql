-- Every change to the notifications of a user first locks the user's row in this table. So the changes of an inbox have an
-- order, and a stream that has read one of them has missed none before it.
CREATE TABLE inboxes (
    user_id bigint CONSTRAINT inboxes_pkey PRIMARY KEY
        CONSTRAINT inboxes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    last_seq bigint NOT NULL DEFAULT 0,
    forgotten_seq bigint NOT NULL DEFAULT 0,
    CONSTRAINT inboxes_seq_check CHECK (forgotten_seq <= last_seq)
);
