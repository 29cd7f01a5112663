UPDATE notifications SET title = coalesce(title, type), message = coalesce(message, '')
WHERE title IS NULL OR message IS NULL;
ALTER TABLE notifications ALTER COLUMN title SET NOT NULL, ALTER COLUMN message SET NOT NULL;
