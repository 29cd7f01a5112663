-- Single-use tickets for opening a notification stream, for browsers that cannot send a header there.
CREATE TABLE stream_tickets (
    ticket_hash bytea CONSTRAINT stream_tickets_pkey PRIMARY KEY
        CONSTRAINT stream_tickets_ticket_hash_check CHECK (length(ticket_hash) = 32),
    session_id uuid NOT NULL
        CONSTRAINT stream_tickets_session_id_fkey REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

CREATE INDEX idx_stream_tickets_session_id ON stream_tickets (session_id);
CREATE INDEX idx_stream_tickets_expires_at ON stream_tickets (expires_at);
