CREATE TABLE shop_users (name text PRIMARY KEY);
