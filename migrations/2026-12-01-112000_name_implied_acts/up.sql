-- The key of the act of a notification. An empty one follows from the type and the ids of the row, as for most notifications:
-- it takes one byte instead of some 50. NULL has no act.
CREATE FUNCTION notification_act(act text, type text, post_id uuid, comment_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE act
    WHEN '' THEN type || coalesce(':comment:' || comment_id::text, ':post:' || post_id::text, '')
    ELSE act
END;
