-- A transaction of its own: it reads the table while others write to it.
ALTER TABLE notifications VALIDATE CONSTRAINT fk_notifications_parent;
