-- A large, deterministic dataset of 10,000 users and 200,000 posts, one per minute, every tenth of them private. User 1
-- wrote a twentieth of the posts and has blocks with 40 users. The newest public post is the most popular one. Every second
-- user has a photo, every fourth post an image.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password, posts_count, public_posts_count, profile_photo_filename)
SELECT 'person_' || n || '@example.org', 'Person_' || n, '', 20, 18, CASE n % 2 WHEN 0 THEN 'profile_' || n END
FROM generate_series(1, 10000) AS n;

-- One session has a token known to the tests.
INSERT INTO sessions (id, user_id, token_hash, expires_at)
SELECT md5(n::text)::uuid, n % 10000 + 1,
    CASE n WHEN 77 THEN decode(repeat('07', 32), 'hex') ELSE sha256(n::text::bytea) END,
    '2026-02-01'
FROM generate_series(1, 30000) AS n;

-- The rows meet the foreign key by construction; checking it would take as long as all the rest.
SET session_replication_role = replica;

INSERT INTO posts (id, author_id, content, image_url, is_public, created_at)
SELECT
    ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE WHEN n % 20 = 7 THEN 1 ELSE n * 7919 % 10000 + 1 END,
    'Thankful for number ' || n,
    CASE n % 4 WHEN 0 THEN '/uploads/posts/' || md5(n::text)::uuid || '.jpg' END,
    n % 10 <> 0,
    timestamptz '2025-01-01 00:00Z' + n * interval '1 minute'
FROM generate_series(1, 200000) AS n;

-- Five hearts on each recent post, hearts of all users on the newest public one, and 600 hearts on old posts by each of 150
-- users: more users than PostgreSQL keeps as most common values.
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

-- Some of them also react.
INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
SELECT id, user_id, post_id, 'hug' FROM likes WHERE user_id % 2 = 0;

-- Some of them also share the link.
INSERT INTO shares (id, user_id, post_id, share_method)
SELECT id, user_id, post_id, 'url' FROM likes WHERE user_id % 3 = 0;

-- A comment on each recent post, and 5,000 on the most popular one with three replies each. One has 2,000 more.
INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
SELECT md5('comment ' || number)::uuid, number % 10000 + 1,
    ('01930000-0000-7000-8000-' || lpad(to_hex(post), 12, '0'))::uuid,
    md5('comment ' || parent)::uuid, 'How lovely', timestamptz '2026-01-01 00:00Z' + number * interval '1 second'
FROM (
    SELECT n, n, NULL::integer FROM generate_series(190001, 199998) AS n
    UNION ALL
    SELECT n, 199999, NULL FROM generate_series(1, 5000) AS n
    UNION ALL
    SELECT 10000 * k + n, 199999, n FROM generate_series(1, 5000) AS n, generate_series(1, 3) AS k
    UNION ALL
    SELECT 50000 + n, 199999, 5000 FROM generate_series(1, 2000) AS n
) AS comments (number, post, parent);

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5(follower_id || ' ' || followed_id)::uuid, follower_id, followed_id, status
FROM (
    SELECT n, n % 10000 + 1, 'active' FROM generate_series(2, 9999) AS n
    UNION ALL
    SELECT 1, 100 * n, 'blocked' FROM generate_series(1, 20) AS n
    UNION ALL
    SELECT 100 * n + 50, 1, 'blocked' FROM generate_series(1, 20) AS n
) AS edges (follower_id, followed_id, status);

-- Ten notifications for every user, half of them read, and 3,000 more for user 1. A batch with one heart each by 10,000
-- users, and 300 smaller batches with three children.
INSERT INTO notifications (
    id, user_id, actor_id, type, title, message, data, read, read_at, created_at, last_updated_at, closed_at, parent_id,
    is_batch, batch_count, actor_count, batch_key, act, seq
)
SELECT ('0196' || kind || '000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, user_id, actor_id,
    CASE WHEN size IS NULL THEN 'like' ELSE 'post_interaction' END, 'New Like', 'Ana liked your post',
    '{"post_id": "a"}', n % 2 = 0, CASE n % 2 WHEN 0 THEN timestamptz '2026-01-01 00:00Z' END, told_at, told_at,
    CASE WHEN n % 3 = 0 AND kind <> 1 THEN told_at END, parent::uuid, size IS NOT NULL, coalesce(size, 1),
    coalesce(size, 1), 'post_interaction:post:' || key, CASE WHEN size IS NULL THEN 'like:post:' || kind || n END, n
FROM (
    SELECT 0, n, n % 10000 + 1, n * 7919 % 10000 + 1, n::text, NULL::integer, NULL::text FROM generate_series(1, 100000) AS n
    UNION ALL
    SELECT 0, n, 1, n % 10000 + 1, n::text, NULL, NULL FROM generate_series(100001, 103000) AS n
    UNION ALL
    SELECT 1, n, 1, 10000, 'batch ' || n, CASE n WHEN 1 THEN 10000 ELSE 3 END, NULL FROM generate_series(1, 301) AS n
    UNION ALL
    SELECT 2, n, 1, n, 'batch 1', NULL, '01961000-0000-7000-8000-000000000001' FROM generate_series(1, 10000) AS n
    UNION ALL
    SELECT 3, 3 * n + k, 1, k + 2, 'batch ' || n, NULL, '01961000-0000-7000-8000-' || lpad(to_hex(n), 12, '0')
    FROM generate_series(2, 301) AS n, generate_series(0, 2) AS k
) AS rows (kind, n, user_id, actor_id, key, size, parent),
    LATERAL (SELECT timestamptz '2025-10-01 00:00Z' + n * interval '1 minute') AS moment (told_at);

INSERT INTO inboxes (user_id, last_seq, unread_count, total_count)
SELECT users.id, 200000, count(*) FILTER (WHERE NOT read), count(*)
FROM users JOIN notifications ON notifications.user_id = users.id AND parent_id IS NULL GROUP BY users.id;

INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
SELECT n % 10000 + 1, 103000 + n, md5(n::text)::uuid, timestamptz '2026-01-01 00:00Z' + n * interval '1 second'
FROM generate_series(1, 50000) AS n;

INSERT INTO withdrawn_notifications (user_id, actor_id, act, notification_id, created_at, withdrawn_at)
SELECT n % 10000 + 1, n * 7919 % 10000 + 1, 'like:post:0' || n, md5(n::text)::uuid, '2026-01-01', '2026-01-01'
FROM generate_series(1, 50000) AS n;

INSERT INTO suppressed_notifications (user_id, actor_id, act, reason, suppressed_at)
SELECT n % 10000 + 1, n * 7919 % 10000 + 1, 'like:post:0' || n, 'muted', '2026-01-01'
FROM generate_series(1, 50000) AS n;

INSERT INTO notification_quotas (user_id, type, window_opened_at, actor_ids)
SELECT id, 'like', '2026-01-01', array_fill(id, ARRAY[5]) FROM users;

INSERT INTO released_usernames (username, user_id, released_at)
SELECT 'former_' || n, n, now() FROM generate_series(1, 10000) AS n;

ANALYZE;
