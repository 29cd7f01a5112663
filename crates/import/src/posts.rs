//! Posts.

use chrono::{DateTime, SecondsFormat, Utc};
use grateful_domain::{
    Content, Draft, ImageUrl, LocationName, Post, PostId, PostType, TextError, Title, UserId,
    Visibility,
};

use crate::ids;
use crate::report::{Notes, Skipped};
use crate::text::{self, Cleaned, quoted};
use crate::world::{PictureFault, World};

/// A row of the older `posts`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldPost {
    pub(crate) id: String,
    pub(crate) author_id: i64,
    pub(crate) title: Option<String>,
    pub(crate) content: String,
    pub(crate) post_type: String,
    pub(crate) image_url: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) is_public: Option<bool>,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

/// Mends a post, without its counts.
pub(crate) fn mend(old: &OldPost, world: &World, notes: &mut Notes) -> Result<Post, Skipped> {
    let Some(author) = world.user(old.author_id) else {
        return Err(skipped_with_all("its author is not there"));
    };
    let mut inner = Notes::default();
    let image_url = image(old.image_url.as_deref(), world, &mut inner);
    let title = title(old.title.as_deref(), &mut inner);
    let post_type = post_type(&old.post_type, &mut inner);
    let has_picture = image_url.is_some();
    let content = content(&old.content, post_type, title.as_ref(), has_picture, &mut inner)?;
    let created_at = created_at(old, author.created_at, world, &mut inner);
    if old.is_public.is_none() {
        inner.add("is_public → false", "NULL, which the old feeds did not show");
    }
    let location = location(old.location.as_deref(), &mut inner);
    if let Some((what, why)) = ids::change(&old.id) {
        inner.add(what, why);
    }
    *notes = inner;
    let visibility = Visibility::from_is_public(old.is_public.unwrap_or(false));
    let draft = Draft { title, content, post_type, image_url, location, visibility };
    let (id, author) = (PostId::from(ids::of_row(&old.id)), UserId::from(old.author_id));
    let updated_at = old.updated_at.map(|at| at.min(world.now));
    Ok(Post { updated_at, ..Post::publish(id, author, draft, created_at) })
}

fn skipped_with_all(why: &'static str) -> Skipped {
    Skipped { what: "skipped with all that hangs on it", why: why.to_owned() }
}

fn post_type(code: &str, notes: &mut Notes) -> PostType {
    PostType::from_code(&code.to_lowercase()).unwrap_or_else(|_| {
        notes.add(format!("post_type {} → daily", quoted(code)), "not known");
        PostType::Daily
    })
}

fn title(raw: Option<&str>, notes: &mut Notes) -> Option<Title> {
    let Cleaned { text, is_cut } = text::line(raw?);
    note_cut(is_cut, "title", notes);
    match Title::parse(&text) {
        Ok(title) => title,
        Err(error) => {
            note_length(&error, "title", notes);
            Some(Title::from_stored(text))
        }
    }
}

fn location(raw: Option<&str>, notes: &mut Notes) -> Option<LocationName> {
    let Cleaned { text, is_cut } = text::line(raw?);
    note_cut(is_cut, "location", notes);
    match LocationName::parse(&text) {
        Ok(location) => location,
        Err(error) => {
            note_length(&error, "location", notes);
            Some(LocationName::from_stored(text))
        }
    }
}

fn content(
    raw: &str,
    post_type: PostType,
    title: Option<&Title>,
    has_picture: bool,
    notes: &mut Notes,
) -> Result<Content, Skipped> {
    let Cleaned { text, is_cut } = text::lines(raw);
    match Content::parse(&text, post_type) {
        Ok(content) => {
            note_cut(is_cut, "content", notes);
            Ok(content)
        }
        Err(TextError::Empty) if has_picture => {
            let content = title.map_or("📷", Title::as_str);
            notes.add(format!("content → {}", quoted(content)), "empty, but has a picture");
            Ok(Content::from_stored(content.to_owned()))
        }
        Err(TextError::Empty) => Err(skipped_with_all("no visible character and no picture")),
        Err(error) => {
            note_cut(is_cut, "content", notes);
            note_length(&error, "content", notes);
            Ok(Content::from_stored(text))
        }
    }
}

fn note_cut(is_cut: bool, what: &str, notes: &mut Notes) {
    if is_cut {
        notes.add(format!("{what} cleaned"), "control characters");
    }
}

fn note_length(error: &TextError, what: &str, notes: &mut Notes) {
    if let TextError::TooLong { chars, max } = error {
        notes.add(format!("{what} kept whole"), format!("{chars} characters, {max} allowed"));
    }
}

/// The picture, if it has come through our pipeline.
fn image(url: Option<&str>, world: &World, notes: &mut Notes) -> Option<ImageUrl> {
    let url = url.filter(|url| !url.trim().is_empty())?;
    let fault = match image_name(url) {
        None => PictureFault::Elsewhere,
        Some(name) => match world.pictures.images.get(name) {
            Some(Ok(image)) => return Some(image.clone()),
            Some(Err(fault)) => *fault,
            None => PictureFault::Missing,
        },
    };
    notes.add(format!("image_url {} → NULL", quoted(url)), fault.reason());
    None
}

/// The name of a file in the older folder of post images: a plain one, so that no path leads out of it.
pub(crate) fn image_name(url: &str) -> Option<&str> {
    let name = url.trim().strip_prefix("/uploads/posts/")?;
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    (is_plain && name.len() <= 255).then_some(name)
}

/// When the post was written; without a time, when it was edited, else its earliest answer, else when its author joined.
fn created_at(
    old: &OldPost,
    joined: DateTime<Utc>,
    world: &World,
    notes: &mut Notes,
) -> DateTime<Utc> {
    if let Some(at) = old.created_at {
        return text::not_ahead(at, world.now, notes);
    }
    let answer = world.earliest_answers.get(&old.id).copied();
    let (at, why) = match (old.updated_at, answer) {
        (Some(at), _) => (at, "when it was edited"),
        (None, Some(at)) => (at, "the earliest answer to it"),
        (None, None) => (joined, "when its author joined"),
    };
    let at = at.min(world.now);
    let day = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    notes.add(format!("created_at → {day}"), format!("NULL; {why}"));
    at
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rstest::rstest;

    use super::*;

    fn old(content: &str) -> OldPost {
        OldPost {
            id: "f3e9a032-c8d3-4928-93a1-80e44f188c03".to_owned(),
            author_id: 1,
            content: content.to_owned(),
            post_type: "daily".to_owned(),
            is_public: Some(true),
            created_at: Some(World::sample().now),
            ..OldPost::default()
        }
    }

    fn mended(old: &OldPost) -> (Result<Post, Skipped>, Vec<String>) {
        let mut notes = Notes::default();
        let post = mend(old, &World::sample(), &mut notes);
        (post, notes.lines())
    }

    #[rstest]
    #[case("/uploads/posts/a.PNG", None)]
    #[case("/uploads/posts/gone.png", Some("file is missing"))]
    #[case("/uploads/posts/text.jpg", Some("file is no picture"))]
    #[case("/uploads/../../secret.txt", Some("not one of our uploads"))]
    #[case("/uploads/posts/../posts/a.PNG", Some("not one of our uploads"))]
    #[case("blob:http://localhost:3000/9b1c", Some("not one of our uploads"))]
    #[case("https://pictures.example/uploads/posts/a.PNG", Some("not one of our uploads"))]
    fn a_picture_is_a_plain_file_of_the_folder(#[case] url: &str, #[case] fault: Option<&str>) {
        let (post, lines) = mended(&OldPost { image_url: Some(url.to_owned()), ..old("words") });

        assert_eq!(post.unwrap().draft.image_url.is_some(), fault.is_none());
        let line = fault.map(|fault| format!("image_url '{url}' → NULL | {fault}"));
        assert_eq!(lines, Vec::from_iter(line));
    }

    #[rstest]
    #[case::a_title(Some("Only a title"), "Only a title")]
    #[case::nothing(Some("  "), "📷")]
    fn a_picture_without_words_gets_some(#[case] title: Option<&str>, #[case] content: &str) {
        let image_url = Some("/uploads/posts/a.PNG".to_owned());
        let (post, _) =
            mended(&OldPost { image_url, title: title.map(str::to_owned), ..old("\u{200B}") });
        assert_eq!(post.unwrap().draft.content.as_str(), content);
    }

    #[test]
    fn a_post_without_a_visible_character_and_without_an_author_is_skipped() {
        let skipped = |old: OldPost| mended(&old).0.unwrap_err().why;
        assert_eq!(skipped(old(" \n\u{200B}")), "no visible character and no picture");
        let url = Some("/uploads/posts/gone.png".to_owned());
        let without_picture = OldPost { image_url: url, ..old("") };
        assert_eq!(skipped(without_picture), "no visible character and no picture");
        assert_eq!(skipped(OldPost { author_id: 99, ..old("x") }), "its author is not there");
    }

    #[test]
    fn what_was_written_is_never_cut() {
        let long = OldPost {
            title: Some("T".repeat(150)),
            location: Some("L".repeat(140)),
            post_type: "spontaneous".to_owned(),
            ..old(&"c".repeat(899))
        };
        let (post, lines) = mended(&long);

        let draft = post.unwrap().draft;
        assert_eq!(draft.content.as_str().len(), 899);
        assert_eq!(draft.title.unwrap().as_str().len(), 150);
        assert_eq!(
            lines,
            [
                "title kept whole | 150 characters, 100 allowed",
                "content kept whole | 899 characters, 200 allowed",
                "location kept whole | 140 characters, 100 allowed"
            ]
        );
    }

    #[test]
    fn a_post_without_a_time_gets_the_first_that_is_known() {
        let world = World::sample();
        let timeless = OldPost { created_at: None, ..old("words") };
        let edited =
            OldPost { updated_at: Some(world.now - TimeDelta::days(3)), ..timeless.clone() };
        let answered = OldPost { id: "answered".to_owned(), ..timeless.clone() };

        let at = |old: &OldPost| mended(old).0.unwrap().created_at;
        assert_eq!(at(&edited), world.now - TimeDelta::days(3));
        assert_eq!(at(&answered), world.now - TimeDelta::days(2));
        assert_eq!(at(&timeless), world.user(1).unwrap().created_at);
        let ahead = OldPost { created_at: Some(world.now + TimeDelta::days(9)), ..old("words") };
        assert_eq!(at(&ahead), world.now);
    }

    #[test]
    fn a_post_of_no_known_visibility_is_private() {
        let (post, lines) = mended(&OldPost { is_public: None, ..old("words") });

        assert_eq!(post.unwrap().draft.visibility, Visibility::Private);
        assert_eq!(lines, ["is_public → false | NULL, which the old feeds did not show"]);
    }
}
