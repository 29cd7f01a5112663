CREATE TABLE comments (
    id uuid CONSTRAINT comments_pkey PRIMARY KEY,
    author_id bigint NOT NULL CONSTRAINT comments_author_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL CONSTRAINT comments_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
    parent_id uuid,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz,
    CONSTRAINT comments_id_post_id_key UNIQUE (id, post_id),
    -- Both columns, so that a reply is always on the same post as its parent.
    CONSTRAINT comments_parent_id_fkey
        FOREIGN KEY (parent_id, post_id) REFERENCES comments (id, post_id) ON DELETE CASCADE
);

CREATE INDEX idx_comments_author_id ON comments (author_id, created_at DESC);
CREATE INDEX idx_comments_post_id ON comments (post_id, parent_id, created_at, id);
CREATE INDEX idx_comments_parent_id ON comments (parent_id, created_at, id);
