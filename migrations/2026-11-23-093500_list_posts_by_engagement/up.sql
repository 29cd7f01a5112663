-- Most posts have the same engagement: none. With the id, a list can continue after any of them. Private posts are not listed by
-- engagement; they are not in the index, so that they cannot slow down such a list.
DROP INDEX idx_posts_engagement;
CREATE INDEX idx_posts_engagement
    ON posts (hearts_count DESC, reactions_count DESC, shares_count DESC, id DESC) WHERE is_public;
