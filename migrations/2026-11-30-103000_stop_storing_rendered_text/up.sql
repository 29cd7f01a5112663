-- Texts are rendered when they are read, from the current names, posts and comments. The columns stay for rows that other code
-- writes.
ALTER TABLE notifications ALTER COLUMN title DROP NOT NULL, ALTER COLUMN message DROP NOT NULL;
