ALTER INDEX idx_posts_rank RENAME TO idx_posts_rank_author;
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC) WHERE is_public;
