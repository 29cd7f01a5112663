-- A small dataset with many special cases: equal times and equal engagement, ids unrelated to time, private posts, follows,
-- requests and blocks in both directions. The counters equal the rows.
INSERT INTO users (email, username, hashed_password, city)
SELECT 'person_' || n || '@example.org',
    CASE n % 2 WHEN 0 THEN 'Person_' ELSE 'person_' END || chr(96 + n * 5 % 13), '',
    CASE n % 3 WHEN 0 THEN 'Graz' WHEN 1 THEN 'Linz' END
FROM generate_series(1, 12) AS n;

INSERT INTO posts (
    id, author_id, content, is_public, post_type, image_url, created_at, hearts_count, reactions_count, shares_count
)
SELECT md5('post ' || n)::uuid, n * 7 % 11 + 1, 'Thankful for number ' || n, n % 5 <> 0,
    (ARRAY['daily', 'photo', 'spontaneous'])[n % 3 + 1], CASE WHEN n % 4 = 0 THEN '/uploads/' || n || '.jpg' END,
    timestamptz '2026-01-01 00:00Z' + n / 3 * interval '7 hours', n * 13 % 4, n * 5 % 3, n * 7 % 2
FROM generate_series(1, 160) AS n;

INSERT INTO follows (id, follower_id, followed_id, status, created_at)
SELECT md5(follower || ' ' || followed)::uuid, follower, followed,
    CASE
        WHEN (follower, followed) IN ((1, 2), (6, 3), (9, 3), (4, 11)) THEN 'blocked'
        WHEN (follower + followed) % 7 = 0 THEN 'pending'
        ELSE 'active'
    END,
    timestamptz '2026-01-01 00:00Z' + (follower * 5 + followed) / 3 * interval '1 hour'
FROM generate_series(1, 12) AS follower, generate_series(1, 12) AS followed
WHERE follower <> followed AND (follower * 3 + followed * 5) % 4 <> 0
    -- A block excludes a follow in the opposite direction.
    AND (followed, follower) NOT IN ((1, 2), (6, 3), (9, 3), (4, 11))
UNION ALL
SELECT md5('block ' || follower)::uuid, follower, followed, 'blocked', '2026-01-02 00:00Z'
FROM (VALUES (1, 2), (6, 3), (9, 3), (4, 11)) AS blocks (follower, followed)
WHERE (follower * 3 + followed * 5) % 4 = 0;

INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
SELECT md5('comment ' || n)::uuid, n * 5 % 12 + 1, md5('post ' || (n % 40 + 1))::uuid,
    CASE WHEN 80 < n AND n % 2 = 0 THEN md5('comment ' || (n - 80))::uuid END, 'How lovely',
    timestamptz '2026-02-01 00:00Z' + n / 90 * interval '1 hour'
FROM generate_series(1, 400) AS n;

UPDATE users SET
    posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id),
    public_posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id AND is_public),
    followers_count = (SELECT count(*) FROM follows WHERE followed_id = users.id AND status = 'active'),
    following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id AND status = 'active');

UPDATE posts SET comments_count = (SELECT count(*) FROM comments WHERE post_id = posts.id);

ANALYZE;
