SET plan_cache_mode = force_generic_plan;

PREPARE trending (bigint, double precision, double precision, double precision, double precision, timestamp with time zone, timestamp with time zone, bigint, double precision, timestamp with time zone) AS
WITH away AS MATERIALIZED (
    SELECT user_id FROM hidden_users($1)
), promising AS MATERIALIZED (
    SELECT * FROM (
        SELECT $2 * hearts_count + $3 * reactions_count + $4 * shares_count AS weight FROM posts
        WHERE is_public AND rank >= $5 AND rank <= 'infinity' AND created_at >= $6 AND created_at < $7
            AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
            AND NOT (author_id = ANY (SELECT user_id FROM away))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1000
    ) AS part LIMIT 10 * $8
), bar AS MATERIALIZED (
    SELECT weight FROM promising ORDER BY weight DESC LIMIT 1 OFFSET $8 - 1
)
SELECT id FROM posts
WHERE is_public AND created_at >= $6 AND created_at < $7 AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
    AND NOT (author_id = ANY (SELECT user_id FROM away))
    AND rank >= $5 - 1e-6 + coalesce((SELECT ln(greatest((weight - $9) / 2, 1)) / ln(2::float8) FROM bar), 0)
    AND rank <= 'infinity'
ORDER BY $2 * hearts_count + $3 * reactions_count + $4 * shares_count
    + $9 * (1 - greatest(extract(epoch FROM $10 - created_at), 0)::float8 / extract(epoch FROM $10 - $6)::float8) DESC,
    created_at DESC, id DESC
LIMIT $8;

EXPLAIN EXECUTE trending (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
