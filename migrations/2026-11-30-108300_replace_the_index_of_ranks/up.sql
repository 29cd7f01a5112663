DROP INDEX idx_posts_rank;
ALTER INDEX idx_posts_rank_author RENAME TO idx_posts_rank;
