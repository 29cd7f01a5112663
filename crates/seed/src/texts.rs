//! Generates texts from the word lists.

use grateful_domain::PostType;

use crate::rng::Rng;
use crate::word_lists::{
    BIOS, CLOSINGS, COMMENT_ADDITIONS, COMMENT_OPENINGS, DAILY_OPENINGS, DEEDS, ELABORATIONS,
    OPENINGS, PEOPLE, PHOTO_REMARKS, SHARE_MESSAGES, THINGS,
};

/// The content of a post: one sentence for a spontaneous one, several for a daily one.
pub(crate) fn content(post_type: PostType, rng: &mut Rng) -> String {
    match post_type {
        PostType::Spontaneous => sentence(rng),
        PostType::Photo => format!("{} {}", sentence(rng), rng.choose(PHOTO_REMARKS)),
        PostType::Daily => {
            let mut text = format!("{} {}", rng.choose(DAILY_OPENINGS), sentence(rng));
            let min_words = DAILY_MIN_WORDS + rng.index(DAILY_MIN_WORDS);
            while text.split_whitespace().count() < min_words {
                let next = if rng.chance(500) {
                    rng.choose(ELABORATIONS).to_owned()
                } else {
                    sentence(rng)
                };
                text = format!("{text} {next}");
            }
            format!("{text} {}", rng.choose(CLOSINGS))
        }
    }
}

/// A text with at least this many words is a daily post (docs/rules.md#posts).
const DAILY_MIN_WORDS: usize = 20;

/// A sentence about something to be grateful for.
fn sentence(rng: &mut Rng) -> String {
    let opening = rng.choose(OPENINGS);
    if rng.chance(550) {
        format!("{opening} {}.", rng.choose(THINGS))
    } else {
        format!("{opening} {} {}.", rng.choose(PEOPLE), rng.choose(DEEDS))
    }
}

/// The text of a comment.
pub(crate) fn comment(rng: &mut Rng) -> String {
    let opening = rng.choose(COMMENT_OPENINGS);
    if rng.chance(450) {
        opening.to_owned()
    } else {
        format!("{opening} {}", rng.choose(COMMENT_ADDITIONS))
    }
}

/// The message sent with a shared post, if any.
pub(crate) fn share_message(rng: &mut Rng) -> Option<String> {
    rng.chance(700).then(|| rng.choose(SHARE_MESSAGES).to_owned())
}

/// The bio of a user.
pub(crate) fn bio(rng: &mut Rng) -> String {
    let first = rng.choose(BIOS);
    let second = rng.choose(THINGS);
    if rng.chance(500) { first.to_owned() } else { format!("{first} Fond of {second}.") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use grateful_domain::{CommentText, Content, ShareMessage};

    use super::*;
    use crate::rng::Stream;

    #[test]
    fn post_contents_are_valid_and_detected_as_their_type() {
        for index in 0..5_000 {
            let mut rng = Rng::for_item(Stream::PostText, 5, index);
            for post_type in PostType::ALL {
                let text = content(post_type, &mut rng);
                assert_eq!(Content::parse(&text, post_type).unwrap().as_str(), text);
                let detected = PostType::detect(&text, post_type == PostType::Photo);
                assert_eq!(detected, post_type, "{text}");
            }
        }
    }

    #[test]
    fn comments_and_share_messages_are_valid() {
        for index in 0..5_000 {
            let mut rng = Rng::for_item(Stream::CommentText, 5, index);
            let text = comment(&mut rng);
            assert_eq!(CommentText::parse(&text).unwrap().as_str(), text);
            if let Some(text) = share_message(&mut rng) {
                let parsed = ShareMessage::parse(&text).unwrap().map(String::from);
                assert_eq!(parsed.as_deref(), Some(&*text));
            }
        }
    }

    #[test]
    fn daily_posts_rarely_have_the_same_text() {
        let text_of =
            |index| content(PostType::Daily, &mut Rng::for_item(Stream::PostText, 5, index));
        let texts: HashSet<String> = (0..5_000).map(text_of).collect();

        assert!(4_950 < texts.len(), "{} different posts of 5,000", texts.len());
    }
}
