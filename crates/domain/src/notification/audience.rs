//! Whom an act concerns: each person once, and nobody who may not see the post (rules §4).

use super::{Act, Cause};
use crate::{Comment, Post, UserId, Viewer};

/// Whom a comment concerns: whoever it answers, whom it names, and the author of the post, in this order.
pub fn told_of_comment(
    post: &Post,
    comment: &Comment,
    answered: Option<UserId>,
    named: &[UserId],
) -> Vec<Cause> {
    let (actor, id) = (comment.author, comment.id);
    let reply = answered
        .zip(comment.parent)
        .map(|(author, parent)| (author, Act::Reply { post: post.id, comment: id, parent }));
    let mention = Act::Mention { post: post.id, comment: Some(id) };
    let mentions = named.iter().map(|person| (*person, mention));
    let said = (post.author, Act::Comment { post: post.id, comment: id });

    let mut causes: Vec<Cause> = Vec::new();
    for (recipient, act) in reply.into_iter().chain(mentions).chain([said]) {
        let is_told = causes.iter().any(|cause| cause.recipient == recipient);
        let may_see = post.is_visible_to(Viewer::User(recipient));
        if recipient != actor && may_see && !is_told {
            causes.push(Cause { recipient, actor, act });
        }
    }
    causes
}

/// Whom a post concerns: those whom it names.
pub fn told_of_post(post: &Post, named: &[UserId]) -> Vec<Cause> {
    mention_causes(post, post.author, Act::Mention { post: post.id, comment: None }, named)
}

/// Whom other words of a comment concern: those whom it did not name before.
pub fn told_of_other_words(post: &Post, comment: &Comment, named: &[UserId]) -> Vec<Cause> {
    mention_causes(
        post,
        comment.author,
        Act::Mention { post: post.id, comment: Some(comment.id) },
        named,
    )
}

fn mention_causes(post: &Post, actor: UserId, act: Act, named: &[UserId]) -> Vec<Cause> {
    let may_see = |person: &&UserId| post.is_visible_to(Viewer::User(**person));
    named
        .iter()
        .filter(may_see)
        .filter(|person| **person != actor)
        .map(|person| Cause { recipient: *person, actor, act })
        .collect()
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

    /// Ana's post, Ben's comment, Caro's answer to it, which names Dan.
    #[test]
    fn an_answer_concerns_whom_it_answers_whom_it_names_and_the_author() {
        let causes = told_of_comment(
            &post(Visibility::Public),
            &reply_by(CARO),
            Some(BEN.into()),
            &[DAN.into()],
        );

        assert_eq!(
            told(&causes),
            [
                (BEN, NotificationType::CommentReply),
                (DAN, NotificationType::Mention),
                (ANA, NotificationType::Comment)
            ]
        );
        assert!(causes.iter().all(|cause| cause.actor == CARO.into()));
    }

    #[test]
    fn one_act_tells_one_person_once_by_what_concerns_them_most() {
        use NotificationType::{Comment, CommentReply, Mention};
        for (answered, named, expected) in [
            (Some(BEN), vec![BEN, BEN], vec![(BEN, CommentReply), (ANA, Comment)]),
            (Some(BEN), vec![ANA], vec![(BEN, CommentReply), (ANA, Mention)]),
            (Some(ANA), vec![], vec![(ANA, CommentReply)]),
            (Some(ANA), vec![ANA, BEN, BEN], vec![(ANA, CommentReply), (BEN, Mention)]),
            (None, vec![BEN], vec![(BEN, Mention), (ANA, Comment)]),
        ] {
            let named: Vec<UserId> = named.into_iter().map(UserId::from).collect();
            let answered = answered.map(UserId::from);

            let causes =
                told_of_comment(&post(Visibility::Public), &reply_by(CARO), answered, &named);

            assert_eq!(told(&causes), expected);
        }
    }

    #[test]
    fn nobody_is_told_of_their_own_comment() {
        let public = post(Visibility::Public);

        assert_eq!(told_of_comment(&public, &reply_by(ANA), Some(ANA.into()), &[ANA.into()]), []);
        assert_eq!(told_of_post(&public, &[ANA.into()]), []);
    }

    /// What was said before a post was made private is answered by its author alone.
    #[test]
    fn of_a_private_post_nobody_but_its_author_is_told() {
        let private = post(Visibility::Private);

        let by_ana = told_of_comment(&private, &reply_by(ANA), Some(BEN.into()), &[DAN.into()]);
        let by_ben = told_of_comment(&private, &reply_by(BEN), Some(CARO.into()), &[DAN.into()]);

        assert_eq!(by_ana, []);
        assert_eq!(told(&by_ben), [(ANA, NotificationType::Comment)]);
        assert_eq!(told_of_post(&private, &[BEN.into()]), []);
    }

    #[test]
    fn a_post_concerns_whom_it_names() {
        let causes = told_of_post(&post(Visibility::Public), &[BEN.into(), CARO.into()]);

        assert_eq!(
            told(&causes),
            [(BEN, NotificationType::Mention), (CARO, NotificationType::Mention)]
        );
        assert!(causes.iter().all(|cause| cause.act.comment().is_none()));
    }

    /// They were told of the comment itself when it was made.
    #[test]
    fn other_words_concern_only_those_whom_they_name() {
        let comment = reply_by(CARO);
        let named = [ANA, BEN, CARO].map(UserId::from);

        let public = told_of_other_words(&post(Visibility::Public), &comment, &named);
        let private = told_of_other_words(&post(Visibility::Private), &comment, &named);

        assert_eq!(
            told(&public),
            [(ANA, NotificationType::Mention), (BEN, NotificationType::Mention)]
        );
        assert!(public.iter().all(|cause| cause.act.comment() == Some(comment.id)));
        assert_eq!(told(&private), [(ANA, NotificationType::Mention)]);
    }

    fn told(causes: &[Cause]) -> Vec<(i64, NotificationType)> {
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
