DROP INDEX CONCURRENTLY idx_posts_rank_author;
