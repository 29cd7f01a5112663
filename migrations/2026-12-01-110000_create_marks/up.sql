-- How far a replica must have replayed the log to show what a user has written: docs/decisions/0047-own-writes-are-always-seen.md.
-- Unlogged, since a write to a logged table would wait for the replicas. A crash empties both tables.
CREATE UNLOGGED TABLE marks (
    user_id bigint CONSTRAINT marks_pkey PRIMARY KEY
        CONSTRAINT marks_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    lsn bigint NOT NULL
) WITH (fillfactor = 70);

-- One row, so that the loss of marks is noticed: what was committed before it may have lost its mark.
CREATE UNLOGGED TABLE mark_epochs (
    id boolean CONSTRAINT mark_epochs_pkey PRIMARY KEY CONSTRAINT mark_epochs_one CHECK (id),
    lsn bigint NOT NULL
);
