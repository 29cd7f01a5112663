-- One notification for each act, also for an act that follows from the type and the ids.
CREATE UNIQUE INDEX CONCURRENTLY notifications_one_of_act_implied
    ON notifications (actor_id, user_id, hashtextextended(notification_act(act, type, post_id, comment_id), 0));
