//! The texts of notifications (docs/rules.md#notifications, docs/rules.md#batching).

use super::{BatchConfig, BatchCounts, EventDetails, NotificationType, Subject};
use crate::excerpt::excerpt;
use crate::{Emoji, ShareMethod};

/// The title and the message of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    pub message: String,
}

/// The current texts of the post and of the comment that a notification is about. `None` if there is none, or if the
/// recipient cannot see it: then the notification quotes nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuotedTexts {
    pub post: Option<String>,
    pub comment: Option<String>,
}

impl QuotedTexts {
    /// The maximum number of characters in a preview (docs/rules.md#notifications).
    pub const PREVIEW_CHARS: usize = 100;
    /// How many characters of a text rendering reads at most. The one after a preview decides where the preview ends.
    pub const READ_CHARS: usize = Self::PREVIEW_CHARS + 1;

    pub(super) fn post_preview(&self) -> Option<&str> {
        self.post.as_deref().map(preview)
    }

    pub(super) fn comment_preview(&self) -> Option<&str> {
        self.comment.as_deref().map(preview)
    }
}

fn preview(text: &str) -> &str {
    excerpt(text, QuotedTexts::PREVIEW_CHARS)
}

/// The inputs of a notification text.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextContext<'a> {
    /// The type of the notification.
    pub kind: NotificationType,
    /// The batching rules of its key; `None` if it cannot be batched.
    pub config: Option<BatchConfig>,
    /// The name of the newest actor, see [`Author::name`](crate::Author::name).
    pub name: &'a str,
    /// What only the newest act says.
    pub details: &'a EventDetails,
    /// What the newest act is about.
    pub subject: &'a Subject,
    pub quoted: &'a QuotedTexts,
    pub counts: BatchCounts,
    /// The emoji of the newest actor's reaction, if it is not the newest act itself.
    pub emoji: Option<Emoji>,
}

/// The maximum number of characters that a message quotes from a post or a comment.
const MAX_QUOTE_CHARS: usize = 50;

impl TextContext<'_> {
    /// Renders the text of a single act, of several acts by one actor, or of several actors.
    pub(super) fn render(&self) -> Text {
        let BatchCounts { child_count, actor_count } = self.counts;
        match self.config {
            Some(config) if 1 < actor_count => Text {
                title: config.summary_title.to_owned(),
                message: config
                    .summary_template
                    .replace("{n}", &actor_count.to_string())
                    .replace("{batch_count}", &child_count.to_string()),
            },
            Some(config) if 1 < child_count => Text {
                title: config.summary_title.to_owned(),
                message: self.several_by_one_actor(child_count),
            },
            _ => self.single(),
        }
    }

    fn several_by_one_actor(&self, child_count: i32) -> String {
        let name = self.name;
        match self.emoji.or(self.details.emoji) {
            // On one post, a user can have at most one heart and one reaction.
            Some(emoji) if self.kind == NotificationType::PostInteraction => {
                format!("{name} liked your post and reacted with {}", emoji.display())
            }
            _ => format!("{} ({child_count} times)", self.single().message),
        }
    }

    fn single(&self) -> Text {
        let name = self.name;
        let (title, message) = match self.kind {
            NotificationType::Like => ("New Like 💜", format!("{name} liked your post")),
            NotificationType::EmojiReaction => {
                let emoji = self.details.emoji.map_or("an emoji", Emoji::display);
                ("New Reaction", format!("{name} reacted to your post with {emoji}"))
            }
            // A batch with one child has the text of that child.
            NotificationType::PostInteraction => {
                return TextContext { kind: displayed_kind(self.kind, self.details), ..*self }
                    .single();
            }
            NotificationType::PostShared => match self.subject.share_method {
                Some(ShareMethod::Message) => ("Post Sent", format!("{name} sent you a post")),
                Some(ShareMethod::Url) | None => {
                    ("Post Shared", format!("{name} shared your post"))
                }
            },
            NotificationType::Mention => {
                let message = format!("{name} mentioned you in a post");
                ("You were mentioned", self.with_quote(message))
            }
            NotificationType::Comment => {
                ("New Comment", self.with_quote(format!("{name} commented on your post")))
            }
            NotificationType::CommentReply => {
                ("New Reply", self.with_quote(format!("{name} replied to your comment")))
            }
            NotificationType::Follow => ("New Follower", format!("{name} started following you")),
            NotificationType::FollowRequest => {
                ("Follow Request", format!("{name} wants to follow you"))
            }
            NotificationType::FollowAccepted => {
                ("Request Accepted", format!("{name} accepted your follow request"))
            }
        };
        Text { title: title.to_owned(), message }
    }

    /// The message with a quotation of the comment or post, if the recipient can see it.
    fn with_quote(&self, message: String) -> String {
        let QuotedTexts { post, comment } = self.quoted;
        let Some(text) = (if self.subject.comment.is_some() { comment } else { post }) else {
            return message;
        };
        let quote = excerpt(text, MAX_QUOTE_CHARS);
        let end = if quote.len() < text.len() { "…" } else { "" };
        format!("{message}: {quote}{end}")
    }
}

/// The type of the displayed act. A batch of hearts and reactions displays its newest child, and only a reaction has an
/// emoji.
pub(super) fn displayed_kind(kind: NotificationType, details: &EventDetails) -> NotificationType {
    match (kind, details.emoji) {
        (NotificationType::PostInteraction, Some(_)) => NotificationType::EmojiReaction,
        (NotificationType::PostInteraction, None) => NotificationType::Like,
        (kind, _) => kind,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::notification::{Act, BatchKind};

    #[test]
    fn quotes_are_cut_after_the_fiftieth_character() {
        // Characters of one, two and four bytes: the limit counts characters.
        for letter in ["a", "ü", "💜"] {
            for (length, quoted) in [(49, 49), (50, 50), (51, 50)] {
                let end = if quoted < length { "…" } else { "" };
                let text = letter.repeat(length);

                let message = message_of(NotificationType::Comment, true, &of_comment(&text));

                let quote = letter.repeat(quoted);
                assert_eq!(message, format!("Ben commented on your post: {quote}{end}"));
            }
        }
    }

    #[test]
    fn every_message_with_a_quote_cuts_it_before_a_character_that_does_not_fit() {
        let text = format!("{}1\u{fe0f}\u{20e3} and more", "a".repeat(49));
        let of_post = QuotedTexts { post: Some(text.clone()), ..QuotedTexts::default() };
        for (kind, is_in_comment, quoted) in [
            (NotificationType::Comment, true, &of_comment(&text)),
            (NotificationType::CommentReply, true, &of_comment(&text)),
            (NotificationType::Mention, true, &of_comment(&text)),
            (NotificationType::Mention, false, &of_post),
        ] {
            let message = message_of(kind, is_in_comment, quoted);

            assert!(message.ends_with(&format!(": {}…", "a".repeat(49))), "{message}");
        }
    }

    #[test]
    fn a_text_that_the_recipient_cannot_see_is_not_quoted() {
        let post_only = QuotedTexts { post: Some("The post".to_owned()), comment: None };
        let comment_only = of_comment("The comment");
        for (kind, is_in_comment, quoted, message) in [
            (NotificationType::Mention, true, &post_only, "Ben mentioned you in a post"),
            (NotificationType::Mention, false, &comment_only, "Ben mentioned you in a post"),
            (NotificationType::Comment, true, &post_only, "Ben commented on your post"),
            (NotificationType::CommentReply, true, &post_only, "Ben replied to your comment"),
        ] {
            assert_eq!(message_of(kind, is_in_comment, quoted), message);
        }
    }

    #[test]
    fn previews_are_cut_before_the_character_that_does_not_fit() {
        for (text, preview) in [
            ("a".repeat(100), "a".repeat(100)),
            ("💜".repeat(101), "💜".repeat(100)),
            (format!("{}🇩🇪", "a".repeat(99)), "a".repeat(99)),
            (format!("z{}", "\u{301}".repeat(120)), String::new()),
        ] {
            let quoted = QuotedTexts { post: Some(text.clone()), comment: Some(text) };

            assert_eq!(quoted.post_preview(), Some(&*preview));
            assert_eq!(quoted.comment_preview(), Some(&*preview));
        }
    }

    #[test]
    fn placeholders_in_a_name_are_not_replaced() {
        let (details, quoted) = (EventDetails::default(), QuotedTexts::default());
        let post = Uuid::from_u128(0xa).into();
        let subject = Act::Mention { post, comment: None }.into();
        let several = TextContext {
            kind: NotificationType::Mention,
            config: Some(BatchKind::Mention.config()),
            name: "{n}",
            details: &details,
            subject: &subject,
            quoted: &quoted,
            counts: BatchCounts { child_count: 3, actor_count: 2 },
            emoji: None,
        };

        assert_eq!(several.render().message, "You were mentioned 3 times");
        let counts = BatchCounts { child_count: 3, actor_count: 1 };
        let by_one_actor = TextContext { counts, ..several };
        assert_eq!(by_one_actor.render().message, "{n} mentioned you in a post (3 times)");
    }

    fn of_comment(text: &str) -> QuotedTexts {
        QuotedTexts { comment: Some(text.to_owned()), ..QuotedTexts::default() }
    }

    fn message_of(kind: NotificationType, is_in_comment: bool, quoted: &QuotedTexts) -> String {
        let [post, comment] = [0xa, 0xc].map(Uuid::from_u128);
        let (post, comment) = (post.into(), is_in_comment.then_some(comment.into()));
        let context = TextContext {
            kind,
            config: None,
            name: "Ben",
            details: &EventDetails::default(),
            subject: &Act::Mention { post, comment }.into(),
            quoted,
            counts: BatchCounts { child_count: 1, actor_count: 1 },
            emoji: None,
        };
        context.render().message
    }
}
