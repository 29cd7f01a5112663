SET plan_cache_mode = force_generic_plan;

PREPARE apply_inbox_changes (jsonb, bigint[], uuid[], jsonb, jsonb, jsonb, jsonb, jsonb, jsonb) AS
WITH limited AS (
    INSERT INTO notification_quotas AS old
    SELECT * FROM jsonb_populate_recordset(NULL::notification_quotas, $1)
    ON CONFLICT (user_id, type) DO UPDATE SET
        window_opened_at = excluded.window_opened_at,
        actor_ids = excluded.actor_ids,
        held_back = excluded.held_back
), gone AS (
    DELETE FROM notifications AS it USING unnest($2, $3) AS old (user_id, id)
    WHERE it.user_id = old.user_id AND it.id = old.id
    RETURNING it.user_id, it.parent_id, it.read
), saved AS (
    INSERT INTO notifications AS old
    SELECT * FROM jsonb_populate_recordset(NULL::notifications, $4) AS new
    WHERE (SELECT count(*) FROM gone) >= 0
    ON CONFLICT (user_id, id) DO UPDATE SET
        type = excluded.type,
        actor_id = excluded.actor_id,
        title = excluded.title,
        message = excluded.message,
        data = excluded.data,
        read = excluded.read,
        read_at = excluded.read_at,
        last_updated_at = excluded.last_updated_at,
        closed_at = excluded.closed_at,
        parent_id = excluded.parent_id,
        batch_key = excluded.batch_key,
        batch_count = excluded.batch_count,
        actor_count = excluded.actor_count,
        comment_id = excluded.comment_id,
        seq = CASE WHEN excluded.seq = 0 THEN old.seq ELSE excluded.seq END
    RETURNING id, user_id, parent_id, read
), listed AS (
    SELECT user_id, read, 1 AS number FROM saved WHERE parent_id IS NULL
    UNION ALL
    SELECT user_id, read, -1 FROM gone WHERE parent_id IS NULL
    UNION ALL
    SELECT before.user_id, before.read, -1 FROM saved, LATERAL (
        SELECT user_id, read FROM notifications AS it
        WHERE it.user_id = saved.user_id AND it.id = saved.id AND it.parent_id IS NULL LIMIT 1
    ) AS before
), difference AS (
    SELECT user_id, sum(number) AS total, coalesce(sum(number) FILTER (WHERE NOT read), 0) AS unread
    FROM listed GROUP BY user_id
), counted AS (
    UPDATE inboxes SET (unread_count, total_count) = (
        SELECT greatest(unread_count + difference.unread, 0), greatest(total_count + difference.total, 0)
        FROM difference WHERE difference.user_id = inboxes.user_id
    )
    WHERE user_id = ANY (ARRAY(SELECT user_id FROM difference WHERE total <> 0 OR unread <> 0))
), departed AS (
    INSERT INTO notification_removals
    SELECT * FROM jsonb_populate_recordset(NULL::notification_removals, $5)
), remembered AS (
    INSERT INTO withdrawn_notifications
    SELECT * FROM jsonb_populate_recordset(NULL::withdrawn_notifications, $6)
    ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
        notification_id = excluded.notification_id,
        created_at = excluded.created_at,
        read_at = excluded.read_at,
        parent_id = excluded.parent_id,
        withdrawn_at = excluded.withdrawn_at
), came_back AS (
    DELETE FROM withdrawn_notifications AS old
    USING jsonb_populate_recordset(NULL::withdrawn_notifications, $7) AS back
    WHERE old.user_id = back.user_id AND old.actor_id = back.actor_id AND old.act = back.act
), suppressed AS (
    SELECT * FROM jsonb_populate_recordset(NULL::suppressed_notifications, $8)
), explained AS (
    INSERT INTO suppressed_notifications SELECT * FROM suppressed
    ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
        reason = excluded.reason, suppressed_at = excluded.suppressed_at
), no_longer_suppressed AS (
    DELETE FROM suppressed_notifications AS old
    USING jsonb_populate_recordset(NULL::suppressed_notifications, $9) AS it
    WHERE old.user_id = it.user_id AND old.actor_id = it.actor_id AND old.act = it.act
        AND NOT EXISTS (
            SELECT FROM suppressed
            WHERE suppressed.user_id = it.user_id AND suppressed.actor_id = it.actor_id
                AND suppressed.act = it.act
        )
)
SELECT count(*) FROM saved;

EXPLAIN EXECUTE apply_inbox_changes (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
