-- A city may have thousands of users. With the id, the index provides the order of their list.
DROP INDEX idx_users_city;
CREATE INDEX idx_users_city ON users (city, id);
