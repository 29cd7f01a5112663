-- How many notifications the list of an inbox has, and how many of them are unread. Children of batches do not count.
-- Adding the columns locks the table until the rows are counted, and every change of a list locks its inbox first. So no list
-- changes in between.
ALTER TABLE inboxes
    ADD COLUMN unread_count bigint NOT NULL DEFAULT 0
        CONSTRAINT inboxes_unread_count_check CHECK (unread_count >= 0),
    ADD COLUMN total_count bigint NOT NULL DEFAULT 0
        CONSTRAINT inboxes_total_count_check CHECK (total_count >= 0);

-- Inboxes are created with the first change after the migration that added them, so old lists may have none.
INSERT INTO inboxes (user_id, unread_count, total_count)
SELECT user_id, count(*) FILTER (WHERE NOT read), count(*) FROM notifications WHERE parent_id IS NULL GROUP BY user_id
ON CONFLICT (user_id) DO UPDATE SET unread_count = excluded.unread_count, total_count = excluded.total_count;
