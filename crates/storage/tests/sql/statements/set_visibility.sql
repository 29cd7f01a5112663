SET plan_cache_mode = force_generic_plan;

PREPARE set_visibility (boolean, uuid[], bigint) AS
WITH changed AS (
    UPDATE posts SET is_public = $1
    WHERE id = ANY ($2) AND author_id = $3 AND is_public <> $1 AND deleted_at IS NULL
    RETURNING id
), counted AS (
    UPDATE users SET public_posts_count = public_posts_count + change.posts
    FROM (SELECT count(*) * CASE WHEN $1 THEN 1 ELSE -1 END AS posts FROM changed) AS change
    WHERE id = $3
)
SELECT count(*) FROM changed;

EXPLAIN EXECUTE set_visibility (NULL, NULL, NULL);
