-- Counters change all the time. With room on its page, a new version of a row stays there: one page is written, not two,
-- and no index if none of its columns changed.
ALTER TABLE posts SET (fillfactor = 90);
ALTER TABLE users SET (fillfactor = 90);
ALTER TABLE inboxes SET (fillfactor = 50);
ALTER TABLE notification_quotas SET (fillfactor = 50);
