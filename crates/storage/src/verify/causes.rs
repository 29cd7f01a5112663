//! Whether the rows of an act exist, for both directions of the comparison.

use grateful_domain::NotificationType;

/// A condition: the act of the row with the alias `it` exists. The row is a notification or an expected one, with the columns
/// `type`, `user_id` (the recipient), `actor_id`, `act`, `post_id` and `comment_id`.
pub(super) fn act_exists() -> String {
    let when = |kind: NotificationType| format!(" WHEN '{}' THEN {}", kind.code(), cause(kind));
    format!("CASE it.type{} END IS TRUE", NotificationType::ALL.map(when).concat())
}

/// The condition for one type.
const fn cause(kind: NotificationType) -> &'static str {
    match kind {
        NotificationType::Like => {
            "EXISTS (
                SELECT FROM likes WHERE likes.user_id = it.actor_id AND likes.post_id = it.post_id
            )"
        }
        NotificationType::EmojiReaction => {
            "EXISTS (
                SELECT FROM emoji_reactions
                WHERE emoji_reactions.user_id = it.actor_id AND emoji_reactions.post_id = it.post_id
            )"
        }
        NotificationType::PostShared => {
            "EXISTS (
                SELECT FROM shares
                WHERE shares.user_id = it.actor_id AND shares.post_id = it.post_id
                    AND notification_act(it.act, it.type, it.post_id, it.comment_id) = CASE share_method
                        WHEN 'url' THEN 'post_shared:post:' || shares.post_id
                        ELSE 'post_shared:share:' || shares.id
                    END
            )"
        }
        NotificationType::Mention => {
            "CASE
                WHEN it.comment_id IS NULL THEN EXISTS (
                    SELECT FROM posts
                    WHERE posts.id = it.post_id AND posts.author_id = it.actor_id AND (
                        posts.is_public OR posts.deleted_at IS NOT NULL OR EXISTS (
                            SELECT FROM background_jobs
                            WHERE kind = 'withdraw_hidden_post' AND background_jobs.post_id = posts.id
                        )
                    )
                )
                ELSE EXISTS (
                    SELECT FROM comments JOIN posts ON posts.id = comments.post_id
                    WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
                        AND (
                            posts.is_public OR posts.author_id = it.user_id OR posts.deleted_at IS NOT NULL OR EXISTS (
                                SELECT FROM background_jobs
                                WHERE kind = 'withdraw_hidden_post' AND background_jobs.post_id = posts.id
                            )
                        )
                )
            END"
        }
        NotificationType::Comment | NotificationType::CommentReply => {
            "EXISTS (
                SELECT FROM comments WHERE comments.id = it.comment_id AND comments.author_id = it.actor_id
            )"
        }
        NotificationType::Follow => {
            "EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'active'
            )"
        }
        NotificationType::FollowRequest => {
            "EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.actor_id AND followed_id = it.user_id AND status = 'pending'
            )"
        }
        NotificationType::FollowAccepted => {
            "EXISTS (
                SELECT FROM follows
                WHERE follower_id = it.user_id AND followed_id = it.actor_id AND status = 'active'
            )"
        }
        // Only batches have this type, and no act causes them.
        NotificationType::PostInteraction => "false",
    }
}
