-- Becomes the primary key: the keys of inbox tables have the user, so that the tables can be partitioned by user.
CREATE UNIQUE INDEX CONCURRENTLY notifications_user_id_id_key ON notifications (user_id, id);
