SET plan_cache_mode = force_generic_plan;

PREPARE lock_participants (bigint[], uuid[], uuid, text[]) AS
WITH wanted AS (
    SELECT id, NULL AS name FROM unnest($1) AS known (id)
    UNION ALL SELECT author_id, NULL FROM posts WHERE id = ANY ($2)
    UNION ALL SELECT author_id, NULL FROM comments WHERE id = $3
    UNION ALL SELECT id, lower(username) FROM users WHERE lower(username) = ANY ($4)
    UNION ALL SELECT user_id, username FROM released_usernames WHERE username = ANY ($4)
)
SELECT id, username, display_name, profile_image_url,
    ARRAY(SELECT name FROM wanted WHERE wanted.id = users.id AND name IS NOT NULL)
FROM users
WHERE id = ANY (ARRAY(SELECT id FROM wanted)) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE;

EXPLAIN EXECUTE lock_participants (NULL, NULL, NULL, NULL);
