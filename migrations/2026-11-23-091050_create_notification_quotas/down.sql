DROP TABLE notification_quotas;
