-- Wrong passwords by account, counted by all nodes together: docs/decisions/0049-what-nodes-count-together.md.
-- A row is a token bucket; it can be deleted when the bucket is full. Not unlogged: a failover must not refill the buckets.
CREATE TABLE failed_logins (
    email_hash bytea CONSTRAINT failed_logins_pkey PRIMARY KEY
        CONSTRAINT failed_logins_email_hash_check CHECK (length(email_hash) = 32),
    full_at timestamptz NOT NULL
);
CREATE INDEX idx_failed_logins_full_at ON failed_logins (full_at);
