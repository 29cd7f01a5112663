-- A large, deterministic dataset of 5,000 users and 30,000 posts. Every user has a few rows of each kind, and user 1 has
-- 3,000 of each kind, spread over the ids of all rows, and 3,000 notifications.
SET synchronous_commit = off;

INSERT INTO users (email, username, hashed_password)
SELECT 'person_' || n || '@example.org', 'Person_' || n, '' FROM generate_series(1, 5000) AS n;

-- The rows meet the foreign keys by construction.
SET session_replication_role = replica;

INSERT INTO posts (id, author_id, content)
SELECT md5('post ' || n)::uuid, n % 5000 + 1, 'Rain' FROM generate_series(1, 30000) AS n;

CREATE TEMPORARY TABLE done AS
SELECT n, CASE WHEN n % 10 = 0 THEN 1 ELSE n * 7919 % 4999 + 2 END AS user_id, md5('post ' || n)::uuid AS post_id,
    timestamptz '2025-01-01 00:00Z' + n / 100 * interval '1 minute' AS at
FROM generate_series(1, 30000) AS n;

INSERT INTO likes (id, user_id, post_id) SELECT md5('like ' || n)::uuid, user_id, post_id FROM done;

INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
SELECT md5('reaction ' || n)::uuid, user_id, post_id, 'hug' FROM done;

INSERT INTO shares (id, user_id, post_id, share_method)
SELECT md5('link ' || n)::uuid, user_id, post_id, 'url' FROM done
UNION ALL
SELECT md5('message ' || n)::uuid, user_id % 5000 + 1, post_id, 'message' FROM done;

INSERT INTO share_recipients (share_id, user_id) SELECT md5('message ' || n)::uuid, user_id FROM done;

INSERT INTO comments (id, author_id, post_id, content, created_at)
SELECT md5('comment ' || n)::uuid, user_id, post_id, 'How lovely', at FROM done;

INSERT INTO notifications (id, user_id, actor_id, type, title, message, data, act, seq, last_updated_at)
SELECT md5('notification ' || n)::uuid, user_id, user_id % 5000 + 1, 'like', 'New Like', 'Ana liked your post', '{}',
    'like:post:' || n, n, at
FROM done;

DROP TABLE done;

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5('follow ' || n)::uuid, n, n % 5000 + 1, CASE WHEN n % 50 = 0 THEN 'blocked' ELSE 'active' END
FROM generate_series(1, 5000) AS n;

-- Statistics of nearly every row, so that the plans do not depend on the sample.
SET default_statistics_target = 1000;
ANALYZE;
