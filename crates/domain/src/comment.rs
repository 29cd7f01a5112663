//! Comments and replies (docs/rules.md#comments).

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::{self, Lines, TextError, texts};
use crate::{Author, CommentId, Position, PostId, UserId};

texts! {
    /// The text of a comment: trimmed, with 1 to [`CommentText::MAX_CHARS`] characters.
    CommentText,
}

impl CommentText {
    /// The maximum number of characters (docs/rules.md#comments).
    pub const MAX_CHARS: usize = 500;

    /// Parses the text of a comment.
    ///
    /// # Errors
    /// The text is blank, has more than [`CommentText::MAX_CHARS`] characters, or contains a control character other than
    /// a line feed.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        text::required(raw, Lines::Multiple, Self::MAX_CHARS).map(Self)
    }
}

/// A comment on a post, or a reply to another comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub post: PostId,
    pub author: UserId,
    /// The comment on the same post that this one replies to.
    pub parent: Option<CommentId>,
    pub text: CommentText,
    pub created_at: DateTime<Utc>,
    /// When the author last edited the comment.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A comment with its author and what the viewer sees of its replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentForViewer {
    pub comment: Comment,
    pub author: Author,
    /// The number of replies visible to the viewer.
    pub replies: i64,
}

impl Comment {
    /// Returns the comment with a new text, or unchanged if the text is the same.
    #[must_use]
    pub fn edited(&self, text: CommentText, now: DateTime<Utc>) -> Self {
        if text == self.text {
            return self.clone();
        }
        let last = self.updated_at.unwrap_or(self.created_at);
        let updated_at = Some(now.max(last + TimeDelta::microseconds(1)));
        Self { text, updated_at, ..self.clone() }
    }

    /// The position in lists ordered by time.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.into() }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn a_comment() -> Comment {
        Comment {
            id: Uuid::nil().into(),
            post: Uuid::nil().into(),
            author: 1.into(),
            parent: None,
            text: CommentText::parse("Lovely").unwrap(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: None,
        }
    }

    #[test]
    fn comments_are_limited_in_length_and_not_blank() {
        assert!(CommentText::parse(&"💜".repeat(500)).is_ok());
        assert_eq!(
            CommentText::parse(&"💜".repeat(501)),
            Err(TextError::TooLong { chars: 501, max: 500 })
        );
        assert_eq!(CommentText::parse(" \r\n\u{a0}"), Err(TextError::Empty));
    }

    #[test]
    fn an_edit_with_the_same_text_changes_nothing() {
        let comment = a_comment();
        let text = comment.text.clone();
        assert_eq!(comment.edited(text, comment.created_at + TimeDelta::hours(1)), comment);
    }

    #[test]
    fn an_edit_moves_updated_at_forward_even_if_the_clock_stands_still() {
        let comment = a_comment();
        let other = CommentText::parse("So lovely").unwrap();
        let edited = comment.edited(other, comment.created_at);
        assert!(comment.created_at < edited.updated_at.unwrap());
    }
}
