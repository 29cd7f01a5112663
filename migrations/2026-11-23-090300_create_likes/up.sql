CREATE TABLE likes (
    id uuid CONSTRAINT likes_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT likes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL CONSTRAINT likes_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT likes_user_id_post_id_key UNIQUE (user_id, post_id)
);

CREATE INDEX idx_likes_post_id ON likes (post_id, created_at DESC, id DESC);
