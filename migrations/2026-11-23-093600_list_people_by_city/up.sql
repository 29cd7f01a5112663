-- Thousands may live in one town: with the id, a list of them has an order that the index leads to.
DROP INDEX idx_users_city;
CREATE INDEX idx_users_city ON users (city, id);
