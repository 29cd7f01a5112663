-- A large and deterministic world of 200,000 people. A fifth have a username that begins with "ann", and another fifth one
-- with that inside; as many again are shown under names that begin so or have that inside. 20,000 are shown as "Ann Lima".
-- Person 1 has blocked 50 people, and was blocked by 50; 30,000 follow
-- somebody else.
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

ANALYZE;
