//! Edits of published posts.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Content, ImageUrl, LocationName, Post, PostType, Title, Visibility};
use crate::TextError;

/// The changes of an edit. `None` keeps a field, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostEdit {
    /// The content as sent. Its maximum length depends on the post type after the edit.
    pub content: Option<String>,
    pub title: Option<Option<Title>>,
    pub post_type: Option<PostType>,
    pub image_url: Option<Option<ImageUrl>>,
    pub location: Option<Option<LocationName>>,
    pub visibility: Option<Visibility>,
}

impl PostEdit {
    /// The content after the edit. `None` if the edit does not change it, or if it is invalid for every post type.
    pub fn new_content(&self) -> Option<Content> {
        let longest = PostType::ALL.into_iter().max_by_key(|post_type| post_type.max_chars())?;
        Content::parse(self.content.as_deref()?, longest).ok()
    }
}

impl Post {
    /// Returns the post after an edit at `now`, or unchanged if the edit changes nothing.
    ///
    /// `created_at` does not change. `updated_at` always increases, even if the clock does not, so that each edit has its
    /// own [`Revision`](crate::Revision).
    ///
    /// # Errors
    /// The content is invalid for the post type after the edit.
    pub fn edited(&self, edit: PostEdit, now: DateTime<Utc>) -> Result<Self, TextError> {
        let mut draft = self.draft.clone();
        draft.post_type = edit.post_type.unwrap_or(draft.post_type);
        let raw = edit.content.as_deref().unwrap_or(draft.content.as_str());
        draft.content = Content::parse(raw, draft.post_type)?;
        draft.title = edit.title.unwrap_or(draft.title);
        draft.image_url = edit.image_url.unwrap_or(draft.image_url);
        draft.location = edit.location.unwrap_or(draft.location);
        draft.visibility = edit.visibility.unwrap_or(draft.visibility);

        if draft == self.draft {
            return Ok(self.clone());
        }
        let last = self.updated_at.unwrap_or(self.created_at);
        let updated_at = Some(now.max(last + TimeDelta::microseconds(1)));
        Ok(Self { draft, updated_at, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Draft;

    const NOON: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn a_post() -> Post {
        let draft = Draft {
            title: Title::parse("Morning").unwrap(),
            content: Content::parse(&"x".repeat(300), PostType::Daily).unwrap(),
            post_type: PostType::Daily,
            image_url: None,
            location: None,
            visibility: Visibility::Public,
        };
        Post::publish(Uuid::nil().into(), 1.into(), draft, NOON)
    }

    #[test]
    fn the_new_content_of_an_edit_is_the_content_of_the_edited_post() {
        for raw in [" new\r\nday ", "cafe\u{301}", "@ben\u{301}"] {
            let edit = PostEdit { content: Some(raw.to_owned()), ..PostEdit::default() };
            let content = edit.new_content();
            assert_eq!(content, Some(a_post().edited(edit, NOON).unwrap().draft.content));
        }
        let too_long = PostEdit { content: Some("x".repeat(501)), ..PostEdit::default() };
        assert_eq!(too_long.new_content(), None);
        assert_eq!(PostEdit::default().new_content(), None);
    }

    #[test]
    fn fields_that_are_not_set_are_kept() {
        let edit = PostEdit { content: Some("new".to_owned()), ..PostEdit::default() };
        let edited = a_post().edited(edit, NOON + TimeDelta::hours(1)).unwrap();

        assert_eq!(edited.draft.content.as_str(), "new");
        assert_eq!(edited.draft.title, a_post().draft.title);
        assert_eq!(edited.created_at, NOON);
        assert_eq!(edited.updated_at, Some(NOON + TimeDelta::hours(1)));
    }

    #[test]
    fn a_field_can_be_cleared() {
        let edit = PostEdit { title: Some(None), ..PostEdit::default() };
        assert_eq!(a_post().edited(edit, NOON).unwrap().draft.title, None);
    }

    #[test]
    fn changing_to_a_shorter_type_fails_if_the_content_is_too_long() {
        let edit = PostEdit { post_type: Some(PostType::Spontaneous), ..PostEdit::default() };
        let rejected = a_post().edited(edit, NOON).unwrap_err();
        let reason = TextError::TooLong { chars: 300, max: 200 };
        assert_eq!(rejected, reason);
    }

    #[test]
    fn an_edit_that_changes_nothing_returns_the_same_post() {
        let post = a_post();
        let edit = PostEdit { visibility: Some(Visibility::Public), ..PostEdit::default() };
        assert_eq!(post.edited(edit, NOON + TimeDelta::hours(1)).unwrap(), post);
    }

    #[test]
    fn every_edit_has_its_own_revision_even_if_the_clock_stands_still() {
        let edit = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };
        let first = a_post().edited(edit("a"), NOON).unwrap();
        let second = first.edited(edit("b"), NOON).unwrap();

        assert_ne!(a_post().revision(), first.revision());
        assert_ne!(first.revision(), second.revision());
    }
}
