-- Work that a committed change still requires, done in small transactions: by the request that caused it, or after a crash by
-- any node. No foreign keys: a job whose subject is gone has nothing left to do, and deletes itself. With a cascade, deleting
-- the subject would wait for a job in progress, which waits for the subject.
CREATE TABLE background_jobs (
    id uuid CONSTRAINT background_jobs_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT background_jobs_kind_check CHECK (kind IN (
        'delete_account', 'delete_post', 'delete_comment', 'withdraw_between', 'withdraw_hidden_post', 'mark_all_read'
    )),
    user_id bigint,
    other_user_id bigint,
    post_id uuid,
    comment_id uuid,
    -- mark_all_read: the last change of the inbox at the time of the request.
    max_seq bigint,
    requested_at timestamptz NOT NULL
);
