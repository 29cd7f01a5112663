ALTER TABLE notifications
    DROP COLUMN act,
    DROP COLUMN post_id,
    DROP COLUMN comment_id,
    DROP COLUMN seq;
