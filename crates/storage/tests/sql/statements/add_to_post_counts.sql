SET plan_cache_mode = force_generic_plan;

PREPARE add_to_post_counts (bigint[], bigint[], bigint[]) AS
WITH new AS (
    SELECT * FROM unnest($1, $2, $3) AS new (id, posts, public)
), people AS MATERIALIZED (
    SELECT id FROM users WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
)
UPDATE users SET
    posts_count = posts_count + new.posts, public_posts_count = public_posts_count + new.public
FROM new JOIN people ON people.id = new.id
WHERE users.id = new.id AND (users.deleted_at IS NULL OR new.posts <= 0);

EXPLAIN EXECUTE add_to_post_counts (NULL, NULL, NULL);
