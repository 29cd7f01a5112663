-- Additions to `large.sql`: a user who follows 5,000 users and others who follow a few, users with a city, posts with
-- engagement, and one post in 4,096 with an image.
INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5('also ' || n)::uuid, 3, n, 'active' FROM generate_series(5, 5004) AS n;

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT md5('more ' || n)::uuid, n % 9000 + 501, (n * 7 + n / 9000) % 9000 + 501, 'active'
FROM generate_series(1, 90000) AS n WHERE n % 9000 <> (n * 7 + n / 9000) % 9000
ON CONFLICT DO NOTHING;

UPDATE users SET city = CASE id % 2 WHEN 0 THEN 'Graz' ELSE 'Town ' || id END;
UPDATE posts SET post_type = 'photo', image_url = '/a.jpg' WHERE id::text LIKE '%0a7';
UPDATE posts SET hearts_count = 5, reactions_count = 3 WHERE created_at > '2025-05-10';
UPDATE notifications SET type = 'mention' WHERE user_id = 1 AND parent_id IS NULL AND seq % 10 = 0;

ANALYZE;
