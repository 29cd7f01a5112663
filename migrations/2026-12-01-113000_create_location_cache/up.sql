-- What the geocoder found, so that all nodes ask it once: docs/decisions/0049-what-nodes-count-together.md.
-- Unlogged, since a crash costs only requests. A query is text of a user, so its hash is stored.
CREATE UNLOGGED TABLE location_cache (
    query_hash bytea NOT NULL CONSTRAINT location_cache_query_hash_check CHECK (length(query_hash) = 32),
    max_results smallint NOT NULL,
    -- As text, so that numbers and the order of keys stay as they are.
    locations json NOT NULL,
    stored_at timestamptz NOT NULL,
    CONSTRAINT location_cache_pkey PRIMARY KEY (query_hash, max_results)
);
CREATE INDEX idx_location_cache_stored_at ON location_cache (stored_at);

-- One row: the time before which no node sends a request to the geocoder.
CREATE UNLOGGED TABLE geocoder_throttle (
    id boolean CONSTRAINT geocoder_throttle_pkey PRIMARY KEY CONSTRAINT geocoder_throttle_one CHECK (id),
    next_slot timestamptz NOT NULL
);
