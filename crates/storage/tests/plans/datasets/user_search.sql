-- A large, deterministic dataset of 200,000 users. A fifth have a username that starts with "ann", and another fifth one
-- that contains it; as many again have display names that start with it or contain it. 20,000 have the display name "Ann
-- Lima". User 1 has blocked 50 users, and was blocked by 50; 30,000 users follow another one.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password, display_name)
SELECT n || '@example.org',
    (ARRAY['Anna', 'susanne', 'ben', 'x-a', 'yuki', 'anneli', 'Joanna', 'omar', 'zoe', 'mia'])[n % 10 + 1] || '_' || n,
    '',
    (ARRAY[NULL, 'Ann Lima', 'Anne ' || n, 'Joanne 🙏🙏🙏', 'Иван Петров', '東京 太郎', '100% me', 'Li', 'Omar', 'Zoë'])
        [n / 10 % 10 + 1]
FROM generate_series(1, 200000) AS n;

SET session_replication_role = replica;

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT gen_random_uuid(), n, 1, 'blocked' FROM generate_series(10, 500, 10) AS n
UNION ALL
SELECT gen_random_uuid(), 1, n, 'blocked' FROM generate_series(1010, 1500, 10) AS n
UNION ALL
SELECT gen_random_uuid(), n, n + 1, 'active' FROM generate_series(2, 30000) AS n;

INSERT INTO released_usernames (username, user_id, released_at)
SELECT 'former_' || n, n, now() FROM generate_series(1, 20000) AS n;

ANALYZE;
