-- A deleted account, post or comment is gone for its readers as soon as deleted_at is set. A background job then deletes the
-- row and everything below it in small transactions.
ALTER TABLE users ADD COLUMN deleted_at timestamptz;
CREATE INDEX idx_users_deleted_at ON users (id) WHERE deleted_at IS NOT NULL;

-- A post is made private when it is marked, so only its author's reads have to look at the mark.
ALTER TABLE posts ADD COLUMN deleted_at timestamptz;
ALTER TABLE posts ADD CONSTRAINT posts_deleted_at_check CHECK (deleted_at IS NULL OR NOT is_public);

-- Only the comment that its author or the post's author deleted is marked, not the replies below it.
ALTER TABLE comments ADD COLUMN deleted_at timestamptz;
