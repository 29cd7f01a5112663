-- A world of any size: :users users and :posts posts, three hearts, a reaction and a notice of each heart for most posts.
INSERT INTO users (id, email, username, hashed_password, created_at, display_name)
SELECT it, 'user' || it || '@mail.example', CASE it % 50 WHEN 0 THEN 'user ' || it ELSE 'user' || it END,
    '$2b$12$r7vY8oZc178KR6Fue2.gHuVyIUvqPis0prHftm4Tu8gsN9PWvW0MC', timestamptz '2025-01-01 00:00:00+00', 'User ' || it
FROM generate_series(1, :users) AS it;
INSERT INTO posts (id, author_id, content, post_type, is_public, created_at)
SELECT md5('post' || it)::uuid::text, it::bigint * 7919 % :users + 1,
    'Grateful for day ' || it || ', and for @user' || (it % :users + 1) || repeat(' and for more', (it % 20)::int), 'daily', it % 20 <> 0,
    timestamptz '2025-02-01 00:00:00+00' + it % 15000000 * interval '1 second'
FROM generate_series(1, :posts) AS it;
INSERT INTO likes (id, user_id, post_id, created_at)
SELECT md5('like' || it || '.' || k)::uuid::text, (it::bigint * 31 + k * 131) % :users + 1, md5('post' || it)::uuid::text,
    timestamptz '2025-02-01 00:00:00+00' + (it % 15000000 + 60 * k) * interval '1 second'
FROM generate_series(1, :posts) AS it, generate_series(1, 3) AS k;
INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
SELECT md5('reaction' || it)::uuid::text, (it::bigint * 17 + 5) % :users + 1, md5('post' || it)::uuid::text, 'pray',
    timestamptz '2025-02-02 00:00:00+00' + it % 15000000 * interval '1 second'
FROM generate_series(1, :posts) AS it;
INSERT INTO follows (id, follower_id, followed_id, status, created_at)
SELECT md5('follow' || it || '.' || k)::uuid::text, it, (it + k * 37) % :users + 1,
    CASE WHEN (it + k) % 97 = 0 THEN 'pending' ELSE 'active' END, timestamptz '2025-01-02 00:00:00+00'
FROM generate_series(1, :users) AS it, generate_series(1, 5) AS k WHERE (it + k * 37) % :users + 1 <> it;
INSERT INTO shares (id, user_id, post_id, share_method, created_at)
SELECT md5('share' || it)::uuid::text, (it::bigint * 13 + 3) % :users + 1, md5('post' || it)::uuid::text, 'url',
    timestamptz '2025-02-03 00:00:00+00' + it % 15000000 * interval '1 second'
FROM generate_series(1, :posts) AS it WHERE it % 10 = 0;
INSERT INTO notifications (id, user_id, type, title, message, data, read, created_at, is_batch, batch_count, last_updated_at)
SELECT md5('batch' || it)::uuid::text, it::bigint * 7919 % :users + 1, 'post_interaction', '', '',
    json_build_object('post_id', md5('post' || it)::uuid::text), it % 3 = 0,
    timestamp '2025-02-01 00:00:00' + (it % 15000000 + 120) * interval '1 second', true, 3,
    timestamp '2025-02-01 00:00:00' + (it % 15000000 + 180) * interval '1 second'
FROM generate_series(1, :posts) AS it WHERE it % 2 = 0;
INSERT INTO notifications (id, user_id, type, title, message, data, read, created_at, parent_id, is_batch, batch_count, last_updated_at)
SELECT md5('notice' || it || '.' || k)::uuid::text, it::bigint * 7919 % :users + 1, 'like', '', '',
    json_build_object('post_id', md5('post' || it)::uuid::text, 'actor_user_id', ((it::bigint * 31 + k * 131) % :users + 1)::text),
    it % 3 = 0, timestamp '2025-02-01 00:00:00' + (it % 15000000 + 60 * k) * interval '1 second',
    CASE WHEN it % 2 = 0 THEN md5('batch' || it)::uuid::text END, false, 1,
    timestamp '2025-02-01 00:00:00' + (it % 15000000 + 60 * k) * interval '1 second'
FROM generate_series(1, :posts) AS it, generate_series(1, 3) AS k;
