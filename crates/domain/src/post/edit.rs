//! How a post changes after it was published.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Content, ImageUrl, LocationName, Post, PostType, Title, Visibility};
use crate::ValidationError;

/// What its author wants to be different; `None` leaves a part as it is, `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostEdit {
    /// As sent: how long it may be depends on the type that the post ends with.
    pub content: Option<String>,
    pub title: Option<Option<Title>>,
    pub post_type: Option<PostType>,
    pub image_url: Option<Option<ImageUrl>>,
    pub location: Option<Option<LocationName>>,
    pub visibility: Option<Visibility>,
}

impl PostEdit {
    /// The words that the post will have, where they are to be others and not too long for every type.
    pub fn new_content(&self) -> Option<Content> {
        let roomiest = PostType::ALL.into_iter().max_by_key(|it| it.max_chars())?;
        Content::parse(self.content.as_deref()?, roomiest).ok()
    }
}

impl Post {
    /// The post after `edit`, made at `now`. Where nothing is different it is the same post, not an edited one.
    ///
    /// `created_at` stays; `updated_at` always moves forward, even where the clock does not, so that each
    /// state has a [`Revision`](crate::Revision) of its own.
    ///
    /// # Errors
    /// The content does not fit the type that the post would have.
    pub fn edited(&self, edit: PostEdit, now: DateTime<Utc>) -> Result<Self, ValidationError> {
        let mut draft = self.draft.clone();
        draft.post_type = edit.post_type.unwrap_or(draft.post_type);
        let raw = edit.content.as_deref().unwrap_or(draft.content.as_str());
        draft.content = Content::parse(raw, draft.post_type)
            .map_err(|reason| ValidationError::field("content", reason))?;
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
    use crate::{Draft, TextError};

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
    fn the_words_of_an_edit_are_those_that_the_post_will_have() {
        for raw in [" new\r\nday ", "cafe\u{301}", "@ben\u{301}"] {
            let edit = PostEdit { content: Some(raw.to_owned()), ..PostEdit::default() };
            let words = edit.new_content();
            assert_eq!(words, Some(a_post().edited(edit, NOON).unwrap().draft.content));
        }
        let too_long = PostEdit { content: Some("x".repeat(501)), ..PostEdit::default() };
        assert_eq!(too_long.new_content(), None);
        assert_eq!(PostEdit::default().new_content(), None);
    }

    #[test]
    fn what_is_not_named_stays() {
        let edit = PostEdit { content: Some("new".to_owned()), ..PostEdit::default() };
        let edited = a_post().edited(edit, NOON + TimeDelta::hours(1)).unwrap();

        assert_eq!(edited.draft.content.as_str(), "new");
        assert_eq!(edited.draft.title, a_post().draft.title);
        assert_eq!(edited.created_at, NOON);
        assert_eq!(edited.updated_at, Some(NOON + TimeDelta::hours(1)));
    }

    #[test]
    fn a_part_can_be_cleared() {
        let edit = PostEdit { title: Some(None), ..PostEdit::default() };
        assert_eq!(a_post().edited(edit, NOON).unwrap().draft.title, None);
    }

    #[test]
    fn a_shorter_type_refuses_the_content_that_is_there() {
        let edit = PostEdit { post_type: Some(PostType::Spontaneous), ..PostEdit::default() };
        let refused = a_post().edited(edit, NOON).unwrap_err();
        let reason = TextError::TooLong { chars: 300, max: 200 };
        assert_eq!(refused, ValidationError::field("content", reason));
    }

    #[test]
    fn changing_nothing_is_no_edit() {
        let post = a_post();
        let edit = PostEdit { visibility: Some(Visibility::Public), ..PostEdit::default() };
        assert_eq!(post.edited(edit, NOON + TimeDelta::hours(1)).unwrap(), post);
    }

    #[test]
    fn every_edit_is_a_revision_of_its_own_even_when_the_clock_stands_still() {
        let edit = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };
        let first = a_post().edited(edit("a"), NOON).unwrap();
        let second = first.edited(edit("b"), NOON).unwrap();

        assert_ne!(a_post().revision(), first.revision());
        assert_ne!(first.revision(), second.revision());
    }
}
