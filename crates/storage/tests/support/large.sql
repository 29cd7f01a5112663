-- A large and deterministic world: 10,000 people and 200,000 posts, one a minute, every tenth of them private.
-- Person 1 wrote a twentieth of them and stands in a block with 40 others; the newest post is everybody's favourite.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password, posts_count, public_posts_count)
SELECT 'person_' || n || '@example.org', 'Person_' || n, '', 20, 18 FROM generate_series(1, 10000) AS n;

-- One session has a token that a test can know.
INSERT INTO sessions (id, user_id, token_hash, expires_at)
SELECT md5(n::text)::uuid, n % 10000 + 1,
    CASE n WHEN 77 THEN decode(repeat('07', 32), 'hex') ELSE sha256(n::text::bytea) END,
    '2026-02-01'
FROM generate_series(1, 30000) AS n;

-- The foreign key is kept by how the rows are made; looking up each author would take as long as all the rest.
SET session_replication_role = replica;

INSERT INTO posts (id, author_id, content, is_public, created_at)
SELECT
    ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE WHEN n % 20 = 7 THEN 1 ELSE n * 7919 % 10000 + 1 END,
    'Thankful for number ' || n,
    n % 10 <> 0,
    timestamptz '2025-01-01 00:00Z' + n * interval '1 minute'
FROM generate_series(1, 200000) AS n;

-- Five hearts on each post of late, of everybody on the newest public one, and 600 of each of 150 people on old ones:
-- more people than PostgreSQL remembers as unusual.
INSERT INTO likes (id, user_id, post_id)
SELECT md5(user_id || ' ' || n)::uuid, user_id, ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
FROM (
    SELECT n, (n + 1999 * k) % 10000 + 1 AS user_id
    FROM generate_series(190001, 199998) AS n, generate_series(1, 5) AS k
    UNION ALL
    SELECT 199999, user_id FROM generate_series(1, 10000) AS user_id
    UNION ALL
    SELECT 600 * user_id + n, user_id FROM generate_series(1, 150) AS user_id, generate_series(1, 600) AS n
) AS hearts;

-- Some of them left an emoji as well.
INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
SELECT id, user_id, post_id, 'hug' FROM likes WHERE user_id % 2 = 0;

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5(follower_id || ' ' || followed_id)::uuid, follower_id, followed_id, status
FROM (
    SELECT n, n % 10000 + 1, 'active' FROM generate_series(2, 9999) AS n
    UNION ALL
    SELECT 1, 100 * n, 'blocked' FROM generate_series(1, 20) AS n
    UNION ALL
    SELECT 100 * n + 50, 1, 'blocked' FROM generate_series(1, 20) AS n
) AS edges (follower_id, followed_id, status);

ANALYZE;
