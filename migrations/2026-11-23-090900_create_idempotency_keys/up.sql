-- A key is claimed before the request is executed, and the response is stored in the transaction of the request. A stored
-- response proves that the request was executed once. If there is none when the claim has lapsed, it was not executed.
CREATE TABLE idempotency_keys (
    user_id bigint NOT NULL
        CONSTRAINT idempotency_keys_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    key varchar(64) NOT NULL,
    fingerprint bytea NOT NULL
        CONSTRAINT idempotency_keys_fingerprint_check CHECK (length(fingerprint) = 32),
    claim uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    answer bytea,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key)
);

CREATE INDEX idx_idempotency_keys_claimed_at ON idempotency_keys (claimed_at);
