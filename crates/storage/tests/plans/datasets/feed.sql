-- A large dataset for feeds: 10,000 users with 20 follows each, and 200,000 posts of half a year. Most posts are recent, few
-- have much engagement, and every tenth is private. User 1 follows no users, user 2 follows 60, user 3 follows 5,000, user 5
-- follows 10 and user 6 follows 400; user 4 has blocks with 40.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password)
SELECT 'person_' || n || '@example.org', 'Person_' || n, '' FROM generate_series(1, 10000) AS n;

-- The rows meet the foreign key by construction; checking it would take as long as all the rest.
SET session_replication_role = replica;

-- Pseudo-random numbers: the fractional parts of multiples of an irrational number.
INSERT INTO posts (id, author_id, content, is_public, created_at, post_type, hearts_count, reactions_count, shares_count)
SELECT md5(n::text)::uuid, n * 7919 % 10000 + 1, 'Thankful for number ' || n, n % 10 <> 0,
    timestamptz '2026-01-05 12:00Z' - power(n * 0.618033988749895 % 1, 2) * interval '180 days',
    (ARRAY['daily', 'spontaneous'])[1 + n % 2],
    least(2 / (n * 0.414213562373095 % 1 + 0.0005), 2000)::int,
    least(0.7 / (n * 0.732050807568877 % 1 + 0.0005), 500)::int,
    least(0.2 / (n * 0.236067977499790 % 1 + 0.0005), 200)::int
FROM generate_series(1, 200000) AS n;

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5(follower_id || ' ' || followed_id)::uuid, follower_id, followed_id, status
FROM (
    SELECT n, (n + 499 * k) % 10000 + 1, 'active' FROM generate_series(7, 10000) AS n, generate_series(1, 20) AS k
    UNION ALL
    SELECT 2, 100 * n, 'active' FROM generate_series(1, 60) AS n
    UNION ALL
    SELECT 3, 1000 + n, 'active' FROM generate_series(1, 5000) AS n
    UNION ALL
    SELECT 5, 900 * n, 'active' FROM generate_series(1, 10) AS n
    UNION ALL
    SELECT 6, 25 * n - 1, 'active' FROM generate_series(1, 400) AS n
    UNION ALL
    SELECT 4, 100 * n, 'blocked' FROM generate_series(1, 20) AS n
    UNION ALL
    SELECT 100 * n + 50, 4, 'blocked' FROM generate_series(1, 20) AS n
) AS edges (follower_id, followed_id, status)
WHERE follower_id <> followed_id
ON CONFLICT DO NOTHING;

ANALYZE;
