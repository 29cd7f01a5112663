-- The actor of each notification that started in the window, so that one actor cannot use up the limit of a recipient. The
-- actors of windows that are open now are unknown: 0 is no user, and counts toward the limit of the recipient alone. Drops
-- the column that this one replaces in the same step, because no release had the table before.
ALTER TABLE notification_quotas ADD COLUMN actor_ids bigint[] NOT NULL DEFAULT '{}';
UPDATE notification_quotas SET actor_ids = array_fill(0::bigint, ARRAY[least(asked, 20)]);
ALTER TABLE notification_quotas ALTER COLUMN actor_ids DROP DEFAULT, DROP COLUMN asked;
