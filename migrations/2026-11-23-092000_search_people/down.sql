DROP INDEX idx_users_trigrams;
DROP INDEX idx_users_folded_name;
