SET plan_cache_mode = force_generic_plan;

PREPARE apply_inbox_changes (jsonb, timestamp with time zone, timestamp with time zone, timestamp with time zone, integer, integer, jsonb, bigint[], uuid[], jsonb, jsonb, jsonb, jsonb, text, jsonb) AS
WITH start AS (
    SELECT user_id, split_part(act, ':', 1) AS type, actor_id, act
    FROM jsonb_to_recordset($1) AS start (user_id bigint, actor_id bigint, act text)
), started AS (
    INSERT INTO notification_quotas AS quota (user_id, type, window_opened_at, actor_ids)
    SELECT user_id, type, $2, ARRAY[actor_id] FROM start
    ON CONFLICT (user_id, type) DO UPDATE SET (window_opened_at, actor_ids) = (
        SELECT CASE WHEN is_open THEN quota.window_opened_at ELSE $2 END,
            CASE WHEN is_open THEN quota.actor_ids || excluded.actor_ids ELSE excluded.actor_ids END
        FROM (VALUES (quota.window_opened_at > $3 AND quota.window_opened_at < $4)) AS it (is_open)
    )
    WHERE NOT (quota.window_opened_at > $3 AND quota.window_opened_at < $4) OR (
        cardinality(quota.actor_ids) < $5
        AND cardinality(array_positions(quota.actor_ids, excluded.actor_ids[1])) < $6
    )
    RETURNING user_id, type
), held_back AS (
    UPDATE notification_quotas AS quota SET held_back = quota.held_back + 1 FROM start
    WHERE quota.user_id = start.user_id AND quota.type = start.type
        AND NOT EXISTS (SELECT FROM started WHERE started.user_id = start.user_id AND started.type = start.type)
    RETURNING quota.user_id, quota.type, start.actor_id, start.act
), released AS (
    UPDATE notification_quotas AS quota SET actor_ids =
        quota.actor_ids[:array_position(quota.actor_ids, single.actor_id) - 1]
        || quota.actor_ids[array_position(quota.actor_ids, single.actor_id) + 1:]
    FROM jsonb_populate_recordset(NULL::withdrawn_notifications, $7) AS single
    WHERE single.parent_id IS NULL AND single.user_id = quota.user_id
        AND quota.type = split_part(single.act, ':', 1) AND quota.window_opened_at <= single.created_at
        AND single.actor_id = ANY (quota.actor_ids)
), gone AS (
    DELETE FROM notifications AS it USING unnest($8, $9) AS old (user_id, id)
    WHERE it.user_id = old.user_id AND it.id = old.id
    RETURNING it.user_id, it.parent_id, it.read
), saved AS (
    INSERT INTO notifications AS old
    SELECT * FROM jsonb_populate_recordset(NULL::notifications, $10) AS new
    WHERE NOT (new.user_id = ANY (SELECT user_id FROM held_back))
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
    SELECT * FROM jsonb_populate_recordset(NULL::notification_removals, $11)
), remembered AS (
    INSERT INTO withdrawn_notifications
    SELECT * FROM jsonb_populate_recordset(NULL::withdrawn_notifications, $7)
    ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
        notification_id = excluded.notification_id,
        created_at = excluded.created_at,
        read_at = excluded.read_at,
        parent_id = excluded.parent_id,
        withdrawn_at = excluded.withdrawn_at
), came_back AS (
    DELETE FROM withdrawn_notifications AS old
    USING jsonb_populate_recordset(NULL::withdrawn_notifications, $12) AS back
    WHERE old.user_id = back.user_id AND old.actor_id = back.actor_id AND old.act = back.act
), suppressed AS (
    SELECT user_id, actor_id, act, reason, suppressed_at
    FROM jsonb_populate_recordset(NULL::suppressed_notifications, $13)
    UNION ALL
    SELECT user_id, actor_id, act, $14, $2 FROM held_back
), explained AS (
    INSERT INTO suppressed_notifications SELECT * FROM suppressed
    ON CONFLICT (user_id, actor_id, act) DO UPDATE SET
        reason = excluded.reason, suppressed_at = excluded.suppressed_at
), no_longer_suppressed AS (
    DELETE FROM suppressed_notifications AS old USING (
        SELECT user_id, actor_id, act FROM jsonb_populate_recordset(NULL::notifications, $10)
        UNION ALL
        SELECT user_id, actor_id, act FROM jsonb_populate_recordset(NULL::suppressed_notifications, $15)
    ) AS it
    WHERE old.user_id = it.user_id AND old.actor_id = it.actor_id AND old.act = it.act
        AND NOT EXISTS (
            SELECT FROM suppressed
            WHERE suppressed.user_id = it.user_id AND suppressed.actor_id = it.actor_id
                AND suppressed.act = it.act
        )
)
SELECT user_id, type FROM held_back;

EXPLAIN EXECUTE apply_inbox_changes (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
