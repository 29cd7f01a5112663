-- The users who are hidden from a viewer: across a block in either direction, and deleted accounts, whose rows exist until a
-- background job has deleted everything below them. From a guest (NULL), only deleted accounts are hidden.
--
-- PostgreSQL replaces a call by this text before it plans the statement.
CREATE FUNCTION hidden_users(viewer_id bigint) RETURNS TABLE (user_id bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT followed_id FROM follows WHERE follower_id = viewer_id AND status = 'blocked'
    UNION ALL
    SELECT follower_id FROM follows WHERE followed_id = viewer_id AND status = 'blocked'
    UNION ALL
    SELECT id FROM users WHERE deleted_at IS NOT NULL;
END;
