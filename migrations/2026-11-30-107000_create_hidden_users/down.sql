DROP FUNCTION hidden_users (bigint);
