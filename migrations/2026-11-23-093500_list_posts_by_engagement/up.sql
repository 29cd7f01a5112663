-- Most posts have the same engagement: none. With the id in the index, a list can continue after any of them. Private posts are
-- not listed by engagement. The index leaves them out, so that no author's private posts can slow down such a list.
DROP INDEX idx_posts_engagement;
CREATE INDEX idx_posts_engagement
    ON posts (hearts_count DESC, reactions_count DESC, shares_count DESC, id DESC) WHERE is_public;
