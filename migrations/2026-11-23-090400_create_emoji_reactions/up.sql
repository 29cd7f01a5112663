CREATE TABLE emoji_reactions (
    id uuid CONSTRAINT emoji_reactions_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT emoji_reactions_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL CONSTRAINT emoji_reactions_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
    emoji_code text NOT NULL CONSTRAINT emoji_reactions_emoji_code_check CHECK (
        emoji_code IN (
            'heart_eyes', 'heart_face', 'hug', 'pray', 'muscle', 'star', 'fire', 'clap', 'joy', 'thinking'
        )
    ),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT emoji_reactions_user_id_post_id_key UNIQUE (user_id, post_id)
);

CREATE INDEX idx_emoji_reactions_post_id ON emoji_reactions (post_id, created_at DESC, id DESC);
