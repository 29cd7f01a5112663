SET plan_cache_mode = force_generic_plan;

PREPARE record_failed_login (bytea, timestamp with time zone, timestamp with time zone, timestamp with time zone, timestamp with time zone) AS
INSERT INTO failed_logins AS bucket (email_hash, full_at) VALUES ($1, $2)
ON CONFLICT (email_hash) DO UPDATE SET full_at = CASE
    WHEN bucket.full_at BETWEEN $3 AND $4 THEN bucket.full_at + ($2 - $3)
    ELSE $2
END
WHERE bucket.full_at <= $5 OR $4 < bucket.full_at
RETURNING true;

EXPLAIN EXECUTE record_failed_login (NULL, NULL, NULL, NULL, NULL);
