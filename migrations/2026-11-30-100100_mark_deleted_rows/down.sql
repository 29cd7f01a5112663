ALTER TABLE comments DROP COLUMN deleted_at;
ALTER TABLE posts DROP COLUMN deleted_at;
ALTER TABLE users DROP COLUMN deleted_at;
