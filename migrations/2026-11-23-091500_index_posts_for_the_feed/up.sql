-- Lists of everybody's posts only ever hold public ones: with the private ones out of the index, nobody's can make such a
-- list slow. Not concurrently, since no release had these tables before.
DROP INDEX idx_posts_created_at_desc;
CREATE INDEX idx_posts_created_at_desc ON posts (created_at DESC, id DESC) WHERE is_public;

DROP INDEX idx_posts_rank;
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC) WHERE is_public;

-- The best posts of each of those whom somebody follows.
CREATE INDEX idx_posts_author_rank ON posts (author_id, rank DESC, created_at DESC, id DESC) WHERE is_public;
