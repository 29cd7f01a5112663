-- rank is log2(worth) + age in half-lives (docs/rules.md#feed). It changes only with the engagement of other users, never
-- with the clock, so an index can hold it. The weights are those of the feed in the domain crate.
CREATE TABLE posts (
    id uuid CONSTRAINT posts_pkey PRIMARY KEY,
    author_id bigint NOT NULL CONSTRAINT posts_author_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    title text,
    content text NOT NULL,
    post_type text NOT NULL DEFAULT 'daily'
        CONSTRAINT posts_post_type_check CHECK (post_type IN ('daily', 'photo', 'spontaneous')),
    image_url text,
    location text,
    is_public boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz,
    hearts_count integer NOT NULL DEFAULT 0 CONSTRAINT posts_hearts_count_check CHECK (hearts_count >= 0),
    reactions_count integer NOT NULL DEFAULT 0 CONSTRAINT posts_reactions_count_check CHECK (reactions_count >= 0),
    shares_count integer NOT NULL DEFAULT 0 CONSTRAINT posts_shares_count_check CHECK (shares_count >= 0),
    comments_count integer NOT NULL DEFAULT 0 CONSTRAINT posts_comments_count_check CHECK (comments_count >= 0),
    rank double precision NOT NULL GENERATED ALWAYS AS (
        ln(greatest(
            hearts_count::double precision
                + 1.5::double precision * reactions_count
                + 4.0::double precision * shares_count
                + CASE
                    WHEN post_type = 'daily' THEN 3.0::double precision
                    WHEN post_type = 'photo' AND image_url IS NOT NULL THEN 2.5::double precision
                    ELSE 0.0::double precision
                END,
            0.5::double precision
        )) / ln(2.0::double precision)
        + extract(epoch FROM created_at AT TIME ZONE 'UTC')::double precision / 86400.0::double precision
    ) STORED
);

CREATE INDEX idx_posts_created_at_desc ON posts (created_at DESC, id DESC);
CREATE INDEX idx_posts_author_created_desc ON posts (author_id, created_at DESC, id DESC);
CREATE INDEX idx_posts_engagement ON posts (hearts_count, reactions_count, shares_count);
CREATE INDEX idx_posts_rank ON posts (rank DESC, created_at DESC, id DESC);
