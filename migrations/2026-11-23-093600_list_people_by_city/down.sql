DROP INDEX idx_users_city;
CREATE INDEX idx_users_city ON users (city);
