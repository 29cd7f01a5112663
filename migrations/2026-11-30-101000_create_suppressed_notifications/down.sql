DROP TABLE suppressed_notifications;
