-- The children of an actor in a batch. An actor has at most one heart and one reaction on a post, and one follow of a user,
-- which notifications_one_of_act finds; they are most of all children.
CREATE INDEX CONCURRENTLY idx_notifications_parent_id_acts ON notifications (parent_id, actor_id)
    WHERE parent_id IS NOT NULL AND type::text <> ALL ('{like,emoji_reaction,follow}'::text[]);
