DROP TABLE withdrawn_notifications;
