DROP TABLE notification_removals;
