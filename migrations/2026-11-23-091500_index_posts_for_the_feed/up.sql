-- Lists by all authors contain only public posts. Private posts are not in these indexes, so that they cannot slow down such a
-- list. Not CONCURRENTLY, because no release had these tables before.
DROP INDEX idx_posts_created_at_desc;
CREATE INDEX idx_posts_created_at_desc ON posts (created_at DESC, id DESC) WHERE is_public;

DROP INDEX idx_posts_rank;
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC) WHERE is_public;

-- The best posts of each followed user.
CREATE INDEX idx_posts_author_rank ON posts (author_id, rank DESC, created_at DESC, id DESC) WHERE is_public;
