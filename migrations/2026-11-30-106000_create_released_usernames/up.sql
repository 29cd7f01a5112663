-- Usernames that their owners gave up, or whose accounts were deleted, in lower case. Other users cannot take them for 30 days, so
-- that links and mentions in older posts do not lead to a stranger. The user is the former owner, if the account still exists.
CREATE TABLE released_usernames (
    username text COLLATE "C" CONSTRAINT released_usernames_pkey PRIMARY KEY,
    user_id bigint CONSTRAINT released_usernames_user_id_fkey REFERENCES users ON DELETE SET NULL,
    released_at timestamptz NOT NULL
);

CREATE INDEX idx_released_usernames_user_id ON released_usernames (user_id);
CREATE INDEX idx_released_usernames_released_at ON released_usernames (released_at);

-- Since when the user has this username; NULL means since sign-up. A mention in an older text does not mean this user.
ALTER TABLE users ADD COLUMN username_changed_at timestamptz;
