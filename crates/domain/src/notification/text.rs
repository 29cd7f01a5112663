//! What a notification says (rules §4).

use serde_json::{Map, Value};

use super::{Batch, BatchConfig, NotificationType};
use crate::Emoji;

/// A title and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    pub message: String,
}

/// What a text is made of.
#[derive(Debug, Clone, Copy)]
pub struct Telling<'a> {
    /// The type of the notification.
    pub kind: NotificationType,
    /// How it is gathered.
    pub config: Option<&'static BatchConfig>,
    /// What its newest actor is called.
    pub name: &'a str,
    /// What is known of the newest act.
    pub data: &'a Map<String, Value>,
    /// How much it gathers.
    pub gathered: Batch,
    /// An emoji that the same person left beside the newest act.
    pub emoji: Option<Emoji>,
}

/// How many characters of somebody's words a message quotes.
const QUOTED_CHARS: usize = 50;

impl Telling<'_> {
    /// What is said: of one act itself, of one person with several, or of several people together.
    pub fn text(&self) -> Text {
        let Batch { entries, people } = self.gathered;
        match self.config {
            Some(config) if 1 < people => Text {
                title: config.summary_title.to_owned(),
                message: config
                    .summary_template
                    .replace("{n}", &people.to_string())
                    .replace("{batch_count}", &entries.to_string()),
            },
            Some(config) if 1 < entries => Text {
                title: config.summary_title.to_owned(),
                message: self.several_by_one(entries),
            },
            _ => self.one(),
        }
    }

    fn several_by_one(&self, entries: i32) -> String {
        let name = self.name;
        match self.emoji.or_else(|| self.own_emoji()) {
            // One heart and one emoji are all that a person can leave on a post.
            Some(emoji) if self.kind == NotificationType::PostInteraction => {
                format!("{name} liked your post and reacted with {}", emoji.display())
            }
            _ => format!("{} ({entries} times)", self.one().message),
        }
    }

    fn one(&self) -> Text {
        let name = self.name;
        let (title, message) = match self.kind {
            NotificationType::Like => ("New Like 💜", format!("{name} liked your post")),
            NotificationType::EmojiReaction => {
                let emoji = self.own_emoji().map_or("an emoji", Emoji::display);
                ("New Reaction", format!("{name} reacted to your post with {emoji}"))
            }
            // Down to one entry, a batch reads as that entry.
            NotificationType::PostInteraction => {
                return Telling { kind: kind_shown(self.kind, self.data), ..*self }.one();
            }
            NotificationType::PostShared if self.said("share_method") == Some("message") => {
                ("Post Sent", format!("{name} sent you a post"))
            }
            NotificationType::PostShared => ("Post Shared", format!("{name} shared your post")),
            NotificationType::Mention => {
                let quote = self.quote("comment_preview").or_else(|| self.quote("post_preview"));
                let quote = quote.unwrap_or_default();
                ("You were mentioned", format!("{name} mentioned you in a post: {quote}"))
            }
            NotificationType::Comment => {
                let quote = self.quote("comment_preview").unwrap_or_default();
                ("New Comment", format!("{name} commented on your post: {quote}"))
            }
            NotificationType::CommentReply => {
                let quote = self.quote("comment_preview").unwrap_or_default();
                ("New Reply", format!("{name} replied to your comment: {quote}"))
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

    fn own_emoji(&self) -> Option<Emoji> {
        emoji_in(self.data)
    }

    fn said(&self, name: &str) -> Option<&str> {
        self.data.get(name).and_then(Value::as_str)
    }

    fn quote(&self, name: &str) -> Option<String> {
        let said = self.said(name)?;
        let quoted: String = said.chars().take(QUOTED_CHARS).collect();
        Some(if quoted.len() < said.len() { quoted + "…" } else { quoted })
    }
}

/// The emoji that a reaction's data names.
pub(super) fn emoji_in(data: &Map<String, Value>) -> Option<Emoji> {
    data.get("emoji_code").and_then(Value::as_str).and_then(|code| Emoji::from_code(code).ok())
}

/// The type of the act that is shown: a batch of hearts and reactions shows its newest, and only a reaction has an emoji.
pub(super) fn kind_shown(kind: NotificationType, data: &Map<String, Value>) -> NotificationType {
    match (kind, emoji_in(data)) {
        (NotificationType::PostInteraction, Some(_)) => NotificationType::EmojiReaction,
        (NotificationType::PostInteraction, None) => NotificationType::Like,
        (kind, _) => kind,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_somebody_said_is_quoted_to_the_fiftieth_character() {
        // Each is one character and several bytes, whatever it looks like.
        for letter in ["a", "ü", "💜"] {
            for (length, quoted) in [(49, 49), (50, 50), (51, 50)] {
                let end = if quoted < length { "…" } else { "" };

                let message =
                    told(NotificationType::Comment, "comment_preview", &letter.repeat(length));

                let said = letter.repeat(quoted);
                assert_eq!(message, format!("Ben commented on your post: {said}{end}"));
            }
        }
    }

    #[test]
    fn every_text_that_quotes_is_cut() {
        let words = "a".repeat(100);
        for (kind, name) in [
            (NotificationType::Comment, "comment_preview"),
            (NotificationType::CommentReply, "comment_preview"),
            (NotificationType::Mention, "comment_preview"),
            (NotificationType::Mention, "post_preview"),
        ] {
            let message = told(kind, name, &words);

            assert!(message.ends_with(&format!(": {}…", "a".repeat(50))), "{message}");
        }
    }

    /// Whatever else it says, and whoever wrote it.
    #[test]
    fn words_that_look_like_a_template_are_left_as_they_are() {
        let data = Map::new();
        let gathered = Batch { entries: 3, people: 2 };
        let config = Some(&BatchConfig::MENTION);
        let kind = NotificationType::Mention;

        let telling = Telling { kind, config, name: "{n}", data: &data, gathered, emoji: None };

        assert_eq!(telling.text().message, "You were mentioned 3 times");
        let one = Telling { gathered: Batch { entries: 3, people: 1 }, ..telling };
        assert_eq!(one.text().message, "{n} mentioned you in a post:  (3 times)");
    }

    fn told(kind: NotificationType, name: &str, words: &str) -> String {
        let data = Map::from_iter([(name.to_owned(), json!(words))]);
        let gathered = Batch { entries: 1, people: 1 };
        Telling { kind, config: None, name: "Ben", data: &data, gathered, emoji: None }
            .text()
            .message
    }
}
