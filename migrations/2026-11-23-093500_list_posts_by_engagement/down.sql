DROP INDEX idx_posts_engagement;
CREATE INDEX idx_posts_engagement ON posts (hearts_count, reactions_count, shares_count);
