-- Most posts have no engagement, and so all the same: with the id, a list of them goes on behind any of them. Private ones
-- are not listed by engagement, and out of the index nobody's can make such a list slow.
DROP INDEX idx_posts_engagement;
CREATE INDEX idx_posts_engagement
    ON posts (hearts_count DESC, reactions_count DESC, shares_count DESC, id DESC) WHERE is_public;
