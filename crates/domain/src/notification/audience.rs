//! Which users are notified of a comment, a post or an edit, once per user (docs/rules.md#notifications).

use super::{Act, Cause};
use crate::{Comment, Post, UserId, Viewer};

/// The notifications that a comment causes, at most one per recipient, in this order of precedence: the author of the
/// parent comment, the mentioned users, the author of the post.
///
/// Leaves out the author of the comment. Recipients who cannot see the post are included: their events are skipped, and the
/// reason is remembered in case the post becomes visible.
pub fn recipients_of_comment(
    post: &Post,
    comment: &Comment,
    parent_author: Option<UserId>,
    mentioned: &[UserId],
) -> Vec<Cause> {
    let (actor, id) = (comment.author, comment.id);
    let reply = parent_author
        .zip(comment.parent)
        .map(|(author, parent)| (author, Act::Reply { post: post.id, comment: id, parent }));
    let mention = Act::Mention { post: post.id, comment: Some(id) };
    let mentions = mentioned.iter().map(|user| (*user, mention));
    let to_post_author = (post.author, Act::Comment { post: post.id, comment: id });

    let mut causes: Vec<Cause> = Vec::new();
    for (recipient, act) in reply.into_iter().chain(mentions).chain([to_post_author]) {
        let is_notified = causes.iter().any(|cause| cause.recipient == recipient);
        if recipient != actor && !is_notified {
            causes.push(Cause { recipient, actor, act });
        }
    }
    causes
}

/// The notifications that the mentions in a post cause.
pub fn recipients_of_post(post: &Post, mentioned: &[UserId]) -> Vec<Cause> {
    let act = Act::Mention { post: post.id, comment: None };
    let mut causes = mention_causes(post.author, act, mentioned);
    causes.retain(|cause| post.is_visible_to(Viewer::User(cause.recipient)));
    causes
}

/// The notifications that the added mentions of an edited comment cause, with those of recipients who cannot see the post, as
/// [`recipients_of_comment`].
pub fn recipients_of_comment_edit(
    post: &Post,
    comment: &Comment,
    mentioned: &[UserId],
) -> Vec<Cause> {
    let act = Act::Mention { post: post.id, comment: Some(comment.id) };
    mention_causes(comment.author, act, mentioned)
}

fn mention_causes(actor: UserId, act: Act, mentioned: &[UserId]) -> Vec<Cause> {
    let others = mentioned.iter().copied().filter(|user| *user != actor);
    others.map(|recipient| Cause { recipient, actor, act }).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::{CommentText, Content, Draft, NotificationType, PostType, Visibility};

    const ANA: i64 = 1;
    const BEN: i64 = 2;
    const CARO: i64 = 3;
    const DAN: i64 = 4;

    /// Ana's post, Ben's comment, and Caro's reply to it, which mentions Dan.
    #[test]
    fn a_reply_notifies_the_parent_author_the_mentioned_users_and_the_post_author() {
        let causes = recipients_of_comment(
            &post(Visibility::Public),
            &reply_by(CARO),
            Some(BEN.into()),
            &[DAN.into()],
        );

        assert_eq!(
            recipients(&causes),
            [
                (BEN, NotificationType::CommentReply),
                (DAN, NotificationType::Mention),
                (ANA, NotificationType::Comment)
            ]
        );
        assert!(causes.iter().all(|cause| cause.actor == CARO.into()));
    }

    #[test]
    fn a_comment_notifies_each_user_once_with_the_most_specific_type() {
        use NotificationType::{Comment, CommentReply, Mention};
        for (parent_author, mentioned, expected) in [
            (Some(BEN), vec![BEN, BEN], vec![(BEN, CommentReply), (ANA, Comment)]),
            (Some(BEN), vec![ANA], vec![(BEN, CommentReply), (ANA, Mention)]),
            (Some(ANA), vec![], vec![(ANA, CommentReply)]),
            (Some(ANA), vec![ANA, BEN, BEN], vec![(ANA, CommentReply), (BEN, Mention)]),
            (None, vec![BEN], vec![(BEN, Mention), (ANA, Comment)]),
        ] {
            let mentioned: Vec<UserId> = mentioned.into_iter().map(UserId::from).collect();
            let parent_author = parent_author.map(UserId::from);

            let causes = recipients_of_comment(
                &post(Visibility::Public),
                &reply_by(CARO),
                parent_author,
                &mentioned,
            );

            assert_eq!(recipients(&causes), expected);
        }
    }

    #[test]
    fn authors_are_not_notified_of_their_own_comments_and_posts() {
        let public = post(Visibility::Public);
        let ana = UserId::from(ANA);

        assert_eq!(recipients_of_comment(&public, &reply_by(ANA), Some(ana), &[ana]), []);
        assert_eq!(recipients_of_post(&public, &[ana]), []);
    }

    /// Comments from before a post became private stay, and only the author can reply to them. The inboxes skip the others,
    /// and remember why. Mentions in the post itself cause events when it becomes public.
    #[test]
    fn comments_on_a_private_post_cause_events_and_mentions_in_it_do_not() {
        let private = post(Visibility::Private);

        let by_ana =
            recipients_of_comment(&private, &reply_by(ANA), Some(BEN.into()), &[DAN.into()]);
        let by_ben =
            recipients_of_comment(&private, &reply_by(BEN), Some(CARO.into()), &[DAN.into()]);

        let skipped = |parent_author: i64| {
            [(parent_author, NotificationType::CommentReply), (DAN, NotificationType::Mention)]
        };
        assert_eq!(recipients(&by_ana), skipped(BEN));
        assert_eq!(recipients(&by_ben)[..2], skipped(CARO));
        assert_eq!(recipients(&by_ben)[2..], [(ANA, NotificationType::Comment)]);
        assert_eq!(recipients_of_post(&private, &[BEN.into()]), []);
    }

    #[test]
    fn a_post_notifies_the_users_that_it_mentions() {
        let causes = recipients_of_post(&post(Visibility::Public), &[BEN.into(), CARO.into()]);

        assert_eq!(
            recipients(&causes),
            [(BEN, NotificationType::Mention), (CARO, NotificationType::Mention)]
        );
        assert!(causes.iter().all(|cause| cause.act.comment().is_none()));
    }

    /// The other users were notified when the comment was created.
    #[test]
    fn an_edited_comment_notifies_only_the_users_that_it_mentions() {
        let comment = reply_by(CARO);
        let mentioned = [ANA, BEN, CARO].map(UserId::from);

        let causes = recipients_of_comment_edit(&post(Visibility::Public), &comment, &mentioned);

        assert_eq!(
            recipients(&causes),
            [(ANA, NotificationType::Mention), (BEN, NotificationType::Mention)]
        );
        assert!(causes.iter().all(|cause| cause.act.comment() == Some(comment.id)));
    }

    fn recipients(causes: &[Cause]) -> Vec<(i64, NotificationType)> {
        causes.iter().map(|cause| (cause.recipient.into(), cause.act.kind())).collect()
    }

    fn post(visibility: Visibility) -> Post {
        let draft = Draft {
            title: None,
            content: Content::parse("thanks", PostType::Daily).unwrap(),
            post_type: PostType::Daily,
            image_url: None,
            location: None,
            visibility,
        };
        Post::publish(Uuid::from_u128(0xa).into(), ANA.into(), draft, DateTime::UNIX_EPOCH)
    }

    fn reply_by(author: i64) -> Comment {
        Comment {
            id: Uuid::from_u128(0xc).into(),
            post: Uuid::from_u128(0xa).into(),
            author: author.into(),
            parent: Some(Uuid::from_u128(0xb).into()),
            text: CommentText::parse("How lovely").unwrap(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: None,
        }
    }
}
