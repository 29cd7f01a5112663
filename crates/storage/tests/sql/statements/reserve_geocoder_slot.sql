SET plan_cache_mode = force_generic_plan;

PREPARE reserve_geocoder_slot (double precision, double precision) AS
INSERT INTO geocoder_throttle AS throttle (id, next_slot)
VALUES (true, clock_timestamp() + make_interval(secs => $1))
ON CONFLICT (id) DO UPDATE SET next_slot = make_interval(secs => $1) + CASE
    WHEN throttle.next_slot BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => $2)
        THEN throttle.next_slot
    ELSE clock_timestamp()
END
WHERE NOT (
    clock_timestamp() + make_interval(secs => $2) < throttle.next_slot
    AND throttle.next_slot <= clock_timestamp() + make_interval(secs => $2 + $1)
)
RETURNING extract(epoch FROM next_slot - clock_timestamp())::double precision - $1;

EXPLAIN EXECUTE reserve_geocoder_slot (NULL, NULL);
