//! Whom a text names, whom an edit names anew, and who is told of it.
//!
//! `cargo run -p grateful-domain --example mentions`

use std::error::Error;
use std::fmt::Write as _;

use chrono::DateTime;
use grateful_domain::notification::recipients_of_post;
use grateful_domain::{
    Content, Draft, Post, PostEdit, PostType, UserId, Visibility, diff_mentions, find_mentions,
};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", story()?);
    Ok(())
}

/// A post that names people, and is edited twice.
pub(crate) fn story() -> Result<String, Box<dyn Error>> {
    let mut page = String::new();
    let noon = DateTime::UNIX_EPOCH;
    let draft = Draft {
        title: None,
        content: Content::parse("For @ben, @caro and mail@example.org. @ben!", PostType::Daily)?,
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let post = Post::publish(Uuid::from_u128(7).into(), UserId::from(1), draft, noon);
    writeln!(page, "it names {:?}", post.mentioned_names())?;

    let words = "For @Caro. and @dan".to_owned();
    let edit = PostEdit { content: Some(words), ..PostEdit::default() };
    let edited = post.edited(edit, noon)?;
    let anew = diff_mentions(&post.mentioned_names(), &edited.mentioned_names());
    writeln!(page, "then it names {:?} anew, and {:?} no longer", anew.added, anew.removed)?;

    // Who is behind a name is the caller's to look up: say that Dan is 4. Were the author, 1, among those named, nobody
    // would tell them of what they did themselves.
    let causes = recipients_of_post(&edited, &[UserId::from(4), UserId::from(1)]);
    let told: Vec<String> = causes.iter().map(|cause| cause.recipient.to_string()).collect();
    writeln!(page, "who is told: {}", told.join(", "))?;

    let hide = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    let hidden = edited.edited(hide, noon)?;
    let text = hidden.draft.content.as_str();
    writeln!(
        page,
        "made private, it names {:?}, whatever stands in it: {:?}",
        hidden.mentioned_names(),
        find_mentions(text)
    )?;
    Ok(page)
}
