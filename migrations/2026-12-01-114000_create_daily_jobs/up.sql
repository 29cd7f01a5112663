-- Jobs that one node does once a day for all: when each was done last, and which node is doing it now.
CREATE TABLE daily_jobs (
    name text CONSTRAINT daily_jobs_pkey PRIMARY KEY,
    done_at timestamptz,
    claim uuid,
    claimed_at timestamptz,
    CONSTRAINT daily_jobs_claim_check CHECK ((claim IS NULL) = (claimed_at IS NULL))
);
