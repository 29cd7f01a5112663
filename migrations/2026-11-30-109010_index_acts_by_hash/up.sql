-- One notification for each act. The text of an act has some 50 bytes, its hash has 8. The actor comes first, so that the
-- index also finds all notifications that a user caused.
CREATE UNIQUE INDEX CONCURRENTLY notifications_one_of_act_hash
    ON notifications (actor_id, user_id, hashtextextended(act, 0));
