ALTER TABLE users DROP COLUMN username_changed_at;
DROP TABLE released_usernames;
