-- The index of ranks, with the authors, so that the feed finds its candidates without reading posts. The next migration
-- gives it the name of the old one.
CREATE INDEX CONCURRENTLY idx_posts_rank_author
    ON posts (rank DESC, created_at DESC, id DESC) INCLUDE (author_id) WHERE is_public;
