-- Usernames and email addresses are compared case-insensitively for ASCII letters only, whichever locale the database has.
-- A Turkish locale would otherwise fold I to a dotless i, and allow a second ADMIN.
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
    email text COLLATE "C" NOT NULL,
    username text COLLATE "C" NOT NULL,
    hashed_password text NOT NULL,
    bio text,
    profile_image_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    display_name varchar(100),
    city varchar(100),
    institutions jsonb CONSTRAINT users_institutions_check CHECK (jsonb_typeof(institutions) = 'array'),
    websites jsonb CONSTRAINT users_websites_check CHECK (jsonb_typeof(websites) = 'array'),
    location jsonb CONSTRAINT users_location_check CHECK (jsonb_typeof(location) = 'object'),
    profile_photo_filename varchar(255),
    profile_preferences jsonb
        CONSTRAINT users_profile_preferences_check CHECK (jsonb_typeof(profile_preferences) = 'object'),
    followers_count bigint NOT NULL DEFAULT 0 CONSTRAINT users_followers_count_check CHECK (followers_count >= 0),
    following_count bigint NOT NULL DEFAULT 0 CONSTRAINT users_following_count_check CHECK (following_count >= 0),
    posts_count bigint NOT NULL DEFAULT 0 CONSTRAINT users_posts_count_check CHECK (posts_count >= 0),
    public_posts_count bigint NOT NULL DEFAULT 0
        CONSTRAINT users_public_posts_count_check CHECK (public_posts_count BETWEEN 0 AND posts_count)
);

CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
CREATE INDEX idx_users_display_name ON users (display_name);
CREATE INDEX idx_users_city ON users (city);
CREATE INDEX idx_users_profile_photo_filename ON users (profile_photo_filename);
