SET plan_cache_mode = force_generic_plan;

PREPARE list_suggestions (bigint, bigint) AS
WITH mine AS MATERIALIZED (
    SELECT followed_id AS id FROM follows WHERE follower_id = $1 AND status = 'active'
    ORDER BY created_at DESC, id DESC LIMIT 200
), theirs AS MATERIALIZED (
    SELECT edge.followed_id AS id, mine.id AS through
    FROM mine, LATERAL (
        SELECT followed_id FROM follows WHERE follower_id = mine.id AND status = 'active'
        ORDER BY created_at DESC, id DESC LIMIT 200
    ) AS edge
    WHERE edge.followed_id <> $1
), known AS MATERIALIZED (
    SELECT followed_id AS id FROM follows WHERE follower_id = $1
    UNION
    SELECT user_id FROM hidden_users($1)
), ranked AS (
    SELECT theirs.id, count(*) AS mutual_count, array_agg(theirs.through) AS through
    FROM theirs WHERE NOT (theirs.id = ANY (SELECT id FROM known))
    GROUP BY theirs.id
), best AS (
    SELECT ranked.*, users.username, users.display_name, users.bio, users.profile_image_url, users.created_at
    FROM ranked JOIN users ON users.id = ranked.id
    ORDER BY mutual_count DESC, lower(users.username) LIMIT $2
)
SELECT best.id, best.username, best.display_name, best.bio, best.profile_image_url, best.created_at,
    best.mutual_count,
    ARRAY(
        SELECT mutual.username FROM users AS mutual WHERE mutual.id = ANY (best.through) AND mutual.deleted_at IS NULL
        ORDER BY lower(mutual.username) LIMIT 3
    )
FROM best ORDER BY best.mutual_count DESC, lower(best.username);

EXPLAIN EXECUTE list_suggestions (NULL, NULL);
