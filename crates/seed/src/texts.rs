//! What people say, put together from a few hundred pieces of our own.

use grateful_domain::PostType;

use crate::dice::Dice;
use crate::words::{
    BECAUSE, BIOS, CHEERS, DEEDS, ENDINGS, MORE, OCCASIONS, OPENINGS, PEOPLE, SIGNS, THINGS, WITH,
};

/// The words of a post: one sentence where it was spontaneous, a few where it is the day's.
pub(crate) fn content(post_type: PostType, dice: &mut Dice) -> String {
    match post_type {
        PostType::Spontaneous => sentence(dice),
        PostType::Photo => format!("{} {}", sentence(dice), dice.pick(SIGNS)),
        PostType::Daily => {
            let mut text = format!("{} {}", dice.pick(OCCASIONS), sentence(dice));
            let long_enough = DAILY_WORDS + dice.place(DAILY_WORDS);
            while text.split_whitespace().count() < long_enough {
                let next =
                    if dice.chance(500) { dice.pick(BECAUSE).to_owned() } else { sentence(dice) };
                text = format!("{text} {next}");
            }
            format!("{text} {}", dice.pick(ENDINGS))
        }
    }
}

/// From this many words on, a text is no passing thought any more (rules §3).
const DAILY_WORDS: usize = 20;

/// One thing to be thankful for.
fn sentence(dice: &mut Dice) -> String {
    let opening = dice.pick(OPENINGS);
    if dice.chance(550) {
        format!("{opening} {}.", dice.pick(THINGS))
    } else {
        format!("{opening} {} {}.", dice.pick(PEOPLE), dice.pick(DEEDS))
    }
}

/// What somebody says of somebody else's post.
pub(crate) fn comment(dice: &mut Dice) -> String {
    let cheer = dice.pick(CHEERS);
    if dice.chance(450) { cheer.to_owned() } else { format!("{cheer} {}", dice.pick(MORE)) }
}

/// What goes along with a post that is sent to somebody.
pub(crate) fn message(dice: &mut Dice) -> Option<String> {
    dice.chance(700).then(|| dice.pick(WITH).to_owned())
}

/// What somebody says of themselves.
pub(crate) fn bio(dice: &mut Dice) -> String {
    let first = dice.pick(BIOS);
    let second = dice.pick(THINGS);
    if dice.chance(500) { first.to_owned() } else { format!("{first} Fond of {second}.") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use grateful_domain::{CommentText, Content, ShareMessage};

    use super::*;
    use crate::dice::About;

    #[test]
    fn posts_could_have_been_typed_and_are_what_they_are_called() {
        for number in 0..5_000 {
            let mut dice = Dice::of(About::PostText, 5, number);
            for post_type in PostType::ALL {
                let text = content(post_type, &mut dice);
                assert_eq!(Content::parse(&text, post_type).unwrap().as_str(), text);
                let detected = PostType::detect(&text, post_type == PostType::Photo);
                assert_eq!(detected, post_type, "{text}");
            }
        }
    }

    #[test]
    fn comments_and_messages_could_have_been_typed() {
        for number in 0..5_000 {
            let mut dice = Dice::of(About::CommentText, 5, number);
            let text = comment(&mut dice);
            assert_eq!(CommentText::parse(&text).unwrap().as_str(), text);
            if let Some(text) = message(&mut dice) {
                let parsed = ShareMessage::parse(&text).unwrap().map(String::from);
                assert_eq!(parsed.as_deref(), Some(&*text));
            }
        }
    }

    #[test]
    fn people_hardly_ever_say_the_same() {
        let say = |number| content(PostType::Daily, &mut Dice::of(About::PostText, 5, number));
        let said: HashSet<String> = (0..5_000).map(say).collect();

        assert!(4_950 < said.len(), "{} different posts of 5,000", said.len());
    }
}
