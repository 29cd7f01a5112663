CREATE TABLE shares (
    id uuid CONSTRAINT shares_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT shares_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL CONSTRAINT shares_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
    share_method text NOT NULL
        CONSTRAINT shares_share_method_check CHECK (share_method IN ('url', 'message')),
    message_content text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One link share per user and post, even if the request is repeated.
CREATE UNIQUE INDEX shares_one_url ON shares (user_id, post_id) WHERE share_method = 'url';
CREATE INDEX idx_shares_post_id ON shares (post_id, created_at DESC, id DESC);
CREATE INDEX idx_shares_user_id ON shares (user_id, share_method, created_at DESC);

CREATE TABLE share_recipients (
    share_id uuid NOT NULL CONSTRAINT share_recipients_share_id_fkey REFERENCES shares (id) ON DELETE CASCADE,
    user_id bigint NOT NULL CONSTRAINT share_recipients_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT share_recipients_pkey PRIMARY KEY (share_id, user_id)
);

CREATE INDEX idx_share_recipients_user_id ON share_recipients (user_id);
