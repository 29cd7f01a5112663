//! What people say about a post.

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::{self, Lines, TextError, texts};
use crate::{Author, CommentId, Position, PostId, UserId};

texts! {
    /// The words of a comment: trimmed, never empty, never longer than [`CommentText::MAX_CHARS`].
    CommentText,
}

impl CommentText {
    /// The most characters (rules §2).
    pub const MAX_CHARS: usize = 500;

    /// Checks the words of a comment.
    ///
    /// # Errors
    /// Nothing but white space, more than [`CommentText::MAX_CHARS`], or a control character other than a line feed.
    pub fn parse(raw: &str) -> Result<Self, TextError> {
        text::required(raw, Lines::Many, Self::MAX_CHARS).map(Self)
    }
}

/// Something said about a post, or in answer to something that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub post: PostId,
    pub author: UserId,
    /// The comment that it answers, on the same post.
    pub parent: Option<CommentId>,
    pub text: CommentText,
    pub created_at: DateTime<Utc>,
    /// When its author last changed it.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A comment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentForViewer {
    pub comment: Comment,
    pub author: Author,
    /// How many answers it has that the viewer may see.
    pub replies: i64,
}

impl Comment {
    /// The comment with other words. The same words are no change.
    #[must_use]
    pub fn edited(&self, text: CommentText, now: DateTime<Utc>) -> Self {
        if text == self.text {
            return self.clone();
        }
        let last = self.updated_at.unwrap_or(self.created_at);
        let updated_at = Some(now.max(last + TimeDelta::microseconds(1)));
        Self { text, updated_at, ..self.clone() }
    }

    /// Its place in lists that are ordered by time.
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
    fn comments_are_bounded_and_not_blank() {
        assert!(CommentText::parse(&"💜".repeat(500)).is_ok());
        assert_eq!(
            CommentText::parse(&"💜".repeat(501)),
            Err(TextError::TooLong { chars: 501, max: 500 })
        );
        assert_eq!(CommentText::parse(" \r\n\u{a0}"), Err(TextError::Empty));
    }

    #[test]
    fn saying_the_same_again_is_no_change() {
        let comment = a_comment();
        let text = comment.text.clone();
        assert_eq!(comment.edited(text, comment.created_at + TimeDelta::hours(1)), comment);
    }

    #[test]
    fn other_words_are_a_change_even_when_the_clock_stands_still() {
        let comment = a_comment();
        let other = CommentText::parse("So lovely").unwrap();
        let edited = comment.edited(other, comment.created_at);
        assert!(comment.created_at < edited.updated_at.unwrap());
    }
}
