ALTER TABLE posts RESET (fillfactor);
ALTER TABLE users RESET (fillfactor);
ALTER TABLE inboxes RESET (fillfactor);
ALTER TABLE notification_quotas RESET (fillfactor);
