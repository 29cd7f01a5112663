-- The users that a user follows, and whether a user follows another, from the index alone.
CREATE INDEX CONCURRENTLY idx_follows_active ON follows (follower_id, followed_id) WHERE status = 'active';
