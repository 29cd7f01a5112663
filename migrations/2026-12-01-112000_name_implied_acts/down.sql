DROP FUNCTION notification_act;
