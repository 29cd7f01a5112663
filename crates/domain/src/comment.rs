//! Comments and replies (docs/rules.md#comments).

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::{self, Lines, TextError, texts};
use crate::{Author, CommentId, Position, Post, PostId, UserId};

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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommentForViewer {
    pub comment: Comment,
    pub author: Author,
    /// The number of replies that the viewer is shown.
    pub replies: i64,
}

/// What lists show of comments across a block with the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenComments {
    /// Nothing.
    LeftOut,
    /// A placeholder for each that has a visible reply below it, so that the viewer can reach that reply.
    Placeholders,
}

impl HiddenComments {
    /// The author of a post gets placeholders, because they are notified of all comments on it.
    pub fn on(post: &Post, viewer: UserId) -> Self {
        if post.author == viewer { Self::Placeholders } else { Self::LeftOut }
    }
}

/// A comment in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ListedComment {
    /// A comment without a block between its author and the viewer.
    Visible(CommentForViewer),
    /// A comment across a block. See [`HiddenComments::Placeholders`].
    Hidden(HiddenComment),
}

/// The placeholder for a comment across a block: neither its author nor its text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HiddenComment {
    pub id: CommentId,
    pub post: PostId,
    pub parent: Option<CommentId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    /// The number of replies that the viewer is shown: visible ones, and placeholders.
    pub replies: i64,
}

impl HiddenComment {
    /// Drops the text and the author of a comment.
    pub fn new(comment: &Comment, replies: i64) -> Self {
        let Comment { id, post, parent, created_at, updated_at, .. } = *comment;
        Self { id, post, parent, created_at, updated_at, replies }
    }
}

impl ListedComment {
    /// The position in the list.
    pub fn position(&self) -> Position {
        match self {
            Self::Visible(visible) => visible.comment.position(),
            Self::Hidden(hidden) => Position { at: hidden.created_at, id: hidden.id.into() },
        }
    }
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
