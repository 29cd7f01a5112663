-- Lists by all authors contain only public posts. These indexes leave out private posts, so that no author's private posts can
-- slow down such a list. Not CONCURRENTLY, because no release had these tables before.
DROP INDEX idx_posts_created_at_desc;
CREATE INDEX idx_posts_created_at_desc ON posts (created_at DESC, id DESC) WHERE is_public;

DROP INDEX idx_posts_rank;
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC) WHERE is_public;

-- The best posts of each followed user.
CREATE INDEX idx_posts_author_rank ON posts (author_id, rank DESC, created_at DESC, id DESC) WHERE is_public;
