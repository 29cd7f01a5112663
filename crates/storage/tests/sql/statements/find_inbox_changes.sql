SET plan_cache_mode = force_generic_plan;

PREPARE find_inbox_changes (uuid[], bigint[]) AS
SELECT session_id, last_seq FROM (
    SELECT session_id, known_seq, (
        SELECT coalesce((SELECT last_seq FROM inboxes WHERE inboxes.user_id = sessions.user_id), 0)
        FROM sessions WHERE sessions.id = session_id
    ) AS last_seq
    FROM unnest($1, $2) AS followed (session_id, known_seq)
) AS found
WHERE last_seq IS DISTINCT FROM known_seq;

EXPLAIN EXECUTE find_inbox_changes (NULL, NULL);
