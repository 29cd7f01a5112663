-- A large, deterministic dataset of 150,000 users. The first 20,000 follow ten users each. User 1 has 30,000 followers from
-- the whole range, follows 10,000 of them back, has 50 follow requests, and has blocked another 50 users.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password)
SELECT 'person_' || n || '@example.org', 'Person_' || n, '' FROM generate_series(1, 150000) AS n;

-- The rows meet the foreign keys by construction.
SET session_replication_role = replica;

INSERT INTO follows (id, follower_id, followed_id, status, created_at)
SELECT md5(follower_id || ' ' || followed_id)::uuid, follower_id, followed_id, status,
    timestamptz '2025-01-01 00:00Z' + n * interval '1 second'
FROM (
    SELECT 1, 7777, 1, 'active'
    UNION ALL
    SELECT n, n * 4999 % 149999 + 2, 1, 'active' FROM generate_series(1, 30000) AS n
    UNION ALL
    SELECT n, 1, n * 4999 % 149999 + 2, 'active' FROM generate_series(1, 10000) AS n
    UNION ALL
    SELECT n, n * 4999 % 149999 + 2, 1, 'pending' FROM generate_series(40001, 40050) AS n
    UNION ALL
    SELECT n, n * 4999 % 149999 + 2, 1, 'blocked' FROM generate_series(40051, 40100) AS n
    UNION ALL
    SELECT 20 * n + k, n, (n + k * 911) % 19999 + 2, 'active'
    FROM generate_series(2, 20000) AS n, generate_series(1, 10) AS k
    WHERE (n + k * 911) % 19999 + 2 <> n
) AS edges (n, follower_id, followed_id, status)
ON CONFLICT DO NOTHING;

-- Statistics of nearly every row, so that the plans do not depend on the sample.
SET default_statistics_target = 1000;
INSERT INTO released_usernames (username, user_id, released_at)
SELECT 'former_' || n, n, now() FROM generate_series(1, 20000) AS n;

ANALYZE;
