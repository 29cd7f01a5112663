-- In one step, because no release had the indexes that go.
DROP INDEX notifications_one_of_act;
ALTER INDEX notifications_one_of_act_implied RENAME TO notifications_one_of_act;
DROP INDEX idx_notifications_parent_id;
ALTER INDEX idx_notifications_parent_id_acts RENAME TO idx_notifications_parent_id;
