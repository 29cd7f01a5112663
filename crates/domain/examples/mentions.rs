//! The mentions in a post, the mentions that an edit adds and removes, and which users are notified.
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
    print!("{}", run()?);
    Ok(())
}

/// Publishes a post with mentions and edits it twice. Returns the output.
pub(crate) fn run() -> Result<String, Box<dyn Error>> {
    let mut output = String::new();
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
    writeln!(output, "the post mentions {:?}", post.mentioned_names())?;

    let content = "For @Caro. and @dan".to_owned();
    let edit = PostEdit { content: Some(content), ..PostEdit::default() };
    let edited = post.edited(edit, noon)?;
    let diff = diff_mentions(&post.mentioned_names(), &edited.mentioned_names());
    writeln!(output, "the edit adds {:?} and removes {:?}", diff.added, diff.removed)?;

    // The caller looks up the users with these names. Here, Dan is user 4. User 1 is the author, who is not notified.
    let causes = recipients_of_post(&edited, &[UserId::from(4), UserId::from(1)]);
    let recipients: Vec<String> = causes.iter().map(|cause| cause.recipient.to_string()).collect();
    writeln!(output, "notified users: {}", recipients.join(", "))?;

    let hide = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    let hidden = edited.edited(hide, noon)?;
    writeln!(
        output,
        "as a private post, it mentions {:?}, although its text has {:?}",
        hidden.mentioned_names(),
        find_mentions(hidden.draft.content.as_str())
    )?;
    Ok(output)
}
