ALTER TABLE inboxes
    DROP COLUMN total_count,
    DROP COLUMN unread_count;
