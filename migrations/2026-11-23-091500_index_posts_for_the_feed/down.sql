DROP INDEX idx_posts_author_rank;

DROP INDEX idx_posts_rank;
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC);

DROP INDEX idx_posts_created_at_desc;
CREATE INDEX idx_posts_created_at_desc ON posts (created_at DESC, id DESC);
