-- The tables of the older Grateful, as its server created them.
CREATE TYPE posttype AS ENUM ('daily', 'photo', 'spontaneous');
CREATE TABLE users (
    id serial PRIMARY KEY, email varchar NOT NULL UNIQUE, username varchar NOT NULL UNIQUE, hashed_password varchar NOT NULL,
    bio text, profile_image_url varchar, created_at timestamptz NOT NULL DEFAULT now(), display_name varchar(100),
    city varchar(100), institutions json, websites json, location json, profile_photo_filename varchar(255),
    profile_preferences json
);
CREATE TABLE posts (
    id varchar PRIMARY KEY, author_id integer NOT NULL REFERENCES users (id), title varchar, content text NOT NULL,
    post_type posttype NOT NULL, image_url varchar, location varchar, is_public boolean, created_at timestamptz DEFAULT now(),
    updated_at timestamptz, hearts_count integer NOT NULL DEFAULT 0, reactions_count integer NOT NULL DEFAULT 0,
    shares_count integer NOT NULL DEFAULT 0
);
CREATE TABLE likes (
    id varchar PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), post_id varchar NOT NULL REFERENCES posts (id),
    created_at timestamptz DEFAULT now(), UNIQUE (user_id, post_id)
);
CREATE TABLE emoji_reactions (
    id varchar PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), post_id varchar NOT NULL REFERENCES posts (id),
    emoji_code varchar(20) NOT NULL, created_at timestamptz DEFAULT now(), updated_at timestamptz, UNIQUE (user_id, post_id)
);
CREATE TABLE shares (
    id varchar PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), post_id varchar NOT NULL REFERENCES posts (id),
    share_method varchar(20) NOT NULL, recipient_user_ids jsonb, message_content text, created_at timestamptz DEFAULT now()
);
CREATE TABLE mentions (
    id varchar PRIMARY KEY, post_id varchar NOT NULL REFERENCES posts (id), author_id integer NOT NULL REFERENCES users (id),
    mentioned_user_id integer NOT NULL REFERENCES users (id), created_at timestamptz DEFAULT now()
);
CREATE TABLE follows (
    id varchar PRIMARY KEY, follower_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    followed_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE, status varchar(20) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (follower_id, followed_id), CHECK (follower_id <> followed_id)
);
CREATE TABLE notifications (
    id varchar PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), type varchar NOT NULL, title varchar NOT NULL,
    message text NOT NULL, data json, read boolean NOT NULL, created_at timestamp NOT NULL, read_at timestamp,
    parent_id varchar REFERENCES notifications (id), is_batch boolean NOT NULL, batch_count integer NOT NULL,
    batch_key varchar, last_updated_at timestamp NOT NULL
);
CREATE TABLE comments (
    id varchar PRIMARY KEY, author_id integer NOT NULL REFERENCES users (id), post_id varchar NOT NULL REFERENCES posts (id),
    parent_id varchar REFERENCES comments (id), content text NOT NULL, created_at timestamptz, updated_at timestamptz
);
