SET plan_cache_mode = force_generic_plan;

PREPARE repair_inbox (bigint) AS
UPDATE inboxes AS counted SET
    unread_count = (SELECT count(*) FROM notifications
        WHERE user_id = counted.user_id AND parent_id IS NULL AND NOT read),
    total_count = (SELECT count(*) FROM notifications WHERE user_id = counted.user_id AND parent_id IS NULL)
WHERE user_id = $1;

EXPLAIN EXECUTE repair_inbox (NULL);
