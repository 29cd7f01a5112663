DROP TABLE shop_users;
