-- Rows in every table that together fill every column.
INSERT INTO users (
    email, username, hashed_password, bio, profile_image_url, display_name, city, institutions, websites, location,
    profile_photo_filename, profile_preferences, followers_count, following_count, posts_count, public_posts_count
)
VALUES
    (
        'ana@example.org', 'ana', '$argon2id$', 'Rain and sun', '/uploads/profile_photos/profile_a_medium.jpg', 'Ana',
        'Lisboa', '["Farm"]', '["https://example.org"]', '{"display_name": "Lisboa"}', 'profile_a',
        '{"approve_followers": true}', 1, 0, 1, 1
    ),
    ('ben@example.org', 'ben', '$argon2id$', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 1, 0, 0);

UPDATE users SET username_changed_at = now() WHERE username = 'ben';
INSERT INTO released_usernames (username, user_id, released_at)
SELECT 'benjamin', id, now() FROM users WHERE username = 'ben';

INSERT INTO sessions (id, user_id, token_hash, expires_at, user_agent)
SELECT gen_random_uuid(), id, sha256(username::bytea), now() + interval '7 days', 'Mozilla/5.0' FROM users;

INSERT INTO posts (
    id, author_id, title, content, post_type, image_url, location, updated_at,
    hearts_count, reactions_count, shares_count, comments_count
)
SELECT '00000000-0000-7000-8000-00000000000a', id, 'Today', 'The bus driver who waited', 'photo',
    '/uploads/posts/a.jpg', 'Lisboa', now(), 1, 1, 2, 2
FROM users WHERE username = 'ana';

INSERT INTO likes (id, user_id, post_id)
SELECT gen_random_uuid(), users.id, posts.id FROM users, posts WHERE username = 'ben';

INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
SELECT gen_random_uuid(), users.id, posts.id, 'hug' FROM users, posts WHERE username = 'ben';

INSERT INTO shares (id, user_id, post_id, share_method, message_content)
SELECT gen_random_uuid(), users.id, posts.id, method, message
FROM users, posts, (VALUES ('url', NULL), ('message', 'For you')) AS ways (method, message)
WHERE username = 'ben';

INSERT INTO share_recipients (share_id, user_id)
SELECT shares.id, users.id FROM shares, users WHERE share_method = 'message' AND username = 'ana';

INSERT INTO comments (id, author_id, post_id, parent_id, content, updated_at)
SELECT comment::uuid, users.id, posts.id, parent::uuid, 'Well said', now()
FROM users, posts, (
    VALUES
        ('00000000-0000-7000-8000-0000000000c1', NULL),
        ('00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-0000000000c1')
) AS thread (comment, parent)
WHERE username = 'ben';

INSERT INTO follows (id, follower_id, followed_id, status)
SELECT gen_random_uuid(), ben.id, ana.id, 'active'
FROM users AS ana, users AS ben WHERE ana.username = 'ana' AND ben.username = 'ben';

-- A batch and its child, with the child first, as a conversion to a batch writes them.
INSERT INTO notifications (
    id, user_id, actor_id, type, title, message, data, priority, read, read_at, closed_at, parent_id, is_batch,
    batch_count, actor_count, batch_key, act, post_id, comment_id, seq
)
SELECT notification::uuid, ana.id, ben.id, kind, 'New Comment', 'ben commented on your post', '{"post_id": "a"}',
    'normal', true, now(), closed, parent::uuid, parent IS NULL, 1, 1, 'comment:post:a', act,
    '00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-0000000000c1', seq
FROM users AS ana, users AS ben, (
    VALUES
        (
            '00000000-0000-7000-8000-0000000000e2', 'comment', NULL, '00000000-0000-7000-8000-0000000000e1',
            'comment:comment:c1', 1
        ),
        ('00000000-0000-7000-8000-0000000000e1', 'comment', now(), NULL, NULL, 3)
) AS batch (notification, kind, closed, parent, act, seq)
WHERE ana.username = 'ana' AND ben.username = 'ben';

INSERT INTO inboxes (user_id, last_seq, forgotten_seq, unread_count, total_count)
SELECT id, 3, 1, 0, 1 FROM users WHERE username = 'ana';

INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
SELECT id, 2, '00000000-0000-7000-8000-0000000000e2', now() FROM users WHERE username = 'ana';

INSERT INTO withdrawn_notifications (
    user_id, actor_id, act, notification_id, created_at, read_at, parent_id, withdrawn_at
)
SELECT ana.id, ben.id, 'like:post:a', gen_random_uuid(), now(), now(), gen_random_uuid(), now()
FROM users AS ana, users AS ben WHERE ana.username = 'ana' AND ben.username = 'ben';

INSERT INTO suppressed_notifications (user_id, actor_id, act, reason, suppressed_at)
SELECT ana.id, ben.id, 'like:post:b', 'muted', now()
FROM users AS ana, users AS ben WHERE ana.username = 'ana' AND ben.username = 'ben';

INSERT INTO notification_quotas (user_id, type, window_opened_at, actor_ids, held_back)
SELECT id, 'comment', now(), ARRAY[id], 1 FROM users WHERE username = 'ana';

INSERT INTO stream_tickets (ticket_hash, session_id, expires_at)
SELECT sha256(id::text::bytea), id, now() + interval '1 minute' FROM sessions;

INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, claimed_at, answer)
SELECT id, 'once', sha256('request'), gen_random_uuid(), now(), 'answer' FROM users;

INSERT INTO failed_logins (email_hash, full_at) SELECT sha256(lower(email)::bytea), now() FROM users;

INSERT INTO location_cache (query_hash, max_results, locations, stored_at)
VALUES (sha256('rain'), 10, '[{"display_name": "Rain", "lat": 48.69, "lon": 10.91}]', now());
INSERT INTO geocoder_throttle (id, next_slot) VALUES (true, now());

INSERT INTO marks (user_id, lsn) SELECT id, 1 FROM users;
INSERT INTO mark_epochs (id, lsn) VALUES (true, 1);

INSERT INTO daily_jobs (name, done_at, claim, claimed_at) VALUES ('sweep_files', now(), gen_random_uuid(), now());

UPDATE users SET deleted_at = now() WHERE username = 'ben';
UPDATE comments SET deleted_at = now() WHERE parent_id IS NULL;

-- A second post, since a deleted one is private.
INSERT INTO posts (id, author_id, content, is_public, deleted_at)
SELECT '00000000-0000-7000-8000-00000000000b', id, 'Deleted', false, now() FROM users WHERE username = 'ana';
UPDATE users SET posts_count = 2 WHERE username = 'ana';

INSERT INTO background_jobs (id, kind, user_id, other_user_id, post_id, comment_id, max_seq, requested_at)
SELECT gen_random_uuid(), kind, 1, 2, post.id, comment.id, 1, now()
FROM (SELECT id FROM posts LIMIT 1) AS post, (SELECT id FROM comments LIMIT 1) AS comment, (VALUES
    ('delete_account'), ('delete_post'), ('delete_comment'), ('withdraw_between'), ('withdraw_hidden_post'),
    ('mark_all_read')
) AS kinds (kind);
