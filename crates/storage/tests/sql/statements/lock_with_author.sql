SET plan_cache_mode = force_generic_plan;

PREPARE lock_with_author (bigint, uuid) AS
WITH person AS MATERIALIZED (
    SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE
)
SELECT posts.id, author_id, title, content, post_type, image_url, location, is_public, created_at, updated_at,
    hearts_count, reactions_count, shares_count, comments_count
FROM posts JOIN person ON person.id = posts.author_id
WHERE posts.id = $2 AND posts.deleted_at IS NULL FOR NO KEY UPDATE OF posts;

EXPLAIN EXECUTE lock_with_author (NULL, NULL);
