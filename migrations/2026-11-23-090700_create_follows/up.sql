-- A row with status 'blocked' means that the followed user has blocked the follower.
CREATE TABLE follows (
    id uuid CONSTRAINT follows_pkey PRIMARY KEY,
    follower_id bigint NOT NULL CONSTRAINT follows_follower_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    followed_id bigint NOT NULL CONSTRAINT follows_followed_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    status text NOT NULL DEFAULT 'active'
        CONSTRAINT follows_status_check CHECK (status IN ('active', 'pending', 'blocked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT follows_not_self CHECK (follower_id <> followed_id)
);

-- Unique, so that one index serves as the constraint on pairs and for relationship checks.
CREATE UNIQUE INDEX idx_follows_follower_followed ON follows (follower_id, followed_id);
CREATE INDEX idx_follows_follower_id ON follows (follower_id, status, created_at DESC, id DESC);
CREATE INDEX idx_follows_followed_id ON follows (followed_id, status, created_at DESC, id DESC);
CREATE INDEX idx_follows_status ON follows (status);
CREATE INDEX idx_follows_created_at ON follows (created_at);
