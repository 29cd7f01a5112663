SET plan_cache_mode = force_generic_plan;

PREPARE set_photo (bigint, text, text) AS
WITH before AS (
    SELECT id, profile_photo_filename AS photo FROM users
    WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE
)
UPDATE users SET profile_photo_filename = $2, profile_image_url = $3
FROM before WHERE users.id = before.id RETURNING before.photo;

EXPLAIN EXECUTE set_photo (NULL, NULL, NULL);
