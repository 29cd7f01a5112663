WITH away AS MATERIALIZED (
    SELECT user_id FROM hidden_users(:viewer)
), promising AS MATERIALIZED (
    SELECT * FROM (
        SELECT :heart_weight * hearts_count + :reaction_weight * reactions_count + :share_weight * shares_count AS weight FROM posts
        WHERE is_public AND rank >= :min_rank AND rank <= 'infinity' AND created_at >= :since AND created_at < :until
            AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
            AND NOT (author_id = ANY (SELECT user_id FROM away))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1000
    ) AS part LIMIT 10 * :limit
), bar AS MATERIALIZED (
    SELECT weight FROM promising ORDER BY weight DESC LIMIT 1 OFFSET :limit - 1
)
SELECT id FROM posts
WHERE is_public AND created_at >= :since AND created_at < :until AND (hearts_count > 0 OR reactions_count > 0 OR shares_count > 0)
    AND NOT (author_id = ANY (SELECT user_id FROM away))
    -- Slightly less, because floating-point numbers of this size are exact to about 1e-11.
    AND rank >= :min_rank - 1e-6 + coalesce((SELECT ln(greatest((weight - :recency_bonus) / 2, 1)) / ln(2::float8) FROM bar), 0)
    AND rank <= 'infinity'
ORDER BY :heart_weight * hearts_count + :reaction_weight * reactions_count + :share_weight * shares_count
    + :recency_bonus * (1 - greatest(extract(epoch FROM :now - created_at), 0)::float8 / extract(epoch FROM :now - :since)::float8) DESC,
    created_at DESC, id DESC
LIMIT :limit
