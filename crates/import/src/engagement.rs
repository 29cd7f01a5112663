//! Hearts, emoji reactions, shares and comments.

mod comments;
mod shares;

use chrono::{DateTime, Utc};
use grateful_domain::{Emoji, HeartId, PostId, ReactionId, UserId};
use grateful_storage::{NewHeart, NewReaction};
use uuid::Uuid;

pub(crate) use self::comments::{OldComment, Replies, mend as mend_comment};
pub(crate) use self::shares::{OldShare, SharesSoFar, mend as mend_share};
use crate::ids;
use crate::report::{Notes, Skipped};
use crate::text::{self, quoted};
use crate::world::{PostFacts, World};

/// A row of the older `likes` or `emoji_reactions`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldReaction {
    pub(crate) id: String,
    pub(crate) user_id: i64,
    pub(crate) post_id: String,
    /// Of a heart, empty.
    pub(crate) emoji_code: String,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

/// Finds the second row of a user and a post, where rows come in the order of both.
#[derive(Debug, Default)]
pub(crate) struct LastPair(Option<(i64, Uuid)>);

impl LastPair {
    /// # Errors
    /// The pair has come before.
    fn check(&mut self, user: i64, post: Uuid) -> Result<(), Skipped> {
        let is_second = self.0.replace((user, post)) == Some((user, post));
        if is_second { Err(Skipped::because("the same person's came before")) } else { Ok(()) }
    }
}

/// Mends a heart.
pub(crate) fn mend_heart(
    old: &OldReaction,
    last: &mut LastPair,
    world: &World,
    notes: &mut Notes,
) -> Result<NewHeart, Skipped> {
    let (post, facts) = target(&old.post_id, old.user_id, world)?;
    last.check(old.user_id, post)?;
    note_id(&old.id, notes);
    Ok(NewHeart {
        id: HeartId::from(ids::of_row(&old.id)),
        user: UserId::from(old.user_id),
        post: PostId::from(post),
        at: when(old.created_at, old.updated_at, facts, world, notes),
    })
}

/// Mends an emoji reaction.
pub(crate) fn mend_reaction(
    old: &OldReaction,
    last: &mut LastPair,
    world: &World,
    notes: &mut Notes,
) -> Result<NewReaction, Skipped> {
    let (post, facts) = target(&old.post_id, old.user_id, world)?;
    let code = old.emoji_code.as_str();
    let emoji = if code == "hugs" {
        notes.add("code 'hugs' → hug", "older name");
        Emoji::Hug
    } else {
        Emoji::from_code(code).map_err(|_| Skipped::because(format!("code {}", quoted(code))))?
    };
    last.check(old.user_id, post)?;
    note_id(&old.id, notes);
    Ok(NewReaction {
        id: ReactionId::from(ids::of_row(&old.id)),
        user: UserId::from(old.user_id),
        post: PostId::from(post),
        emoji,
        at: when(old.created_at, old.updated_at, facts, world, notes),
    })
}

/// The post of a row, if it and the user come over.
fn target<'w>(post: &str, user: i64, world: &'w World) -> Result<(Uuid, &'w PostFacts), Skipped> {
    let post = ids::of_row(post);
    if world.skipped_posts.contains(&post) {
        return Err(Skipped::because("its post is skipped"));
    }
    let facts = world.posts.get(&post).ok_or_else(|| Skipped::because("its post is not there"))?;
    world.user(user).ok_or_else(|| Skipped::because("its user is not there"))?;
    Ok((post, facts))
}

fn note_id(old: &str, notes: &mut Notes) {
    if let Some((what, why)) = ids::change(old) {
        notes.add(what, why);
    }
}

/// When it happened; without a time, when it last changed, else when the post was written.
fn when(
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    post: &PostFacts,
    world: &World,
    notes: &mut Notes,
) -> DateTime<Utc> {
    let at = match (created_at, updated_at) {
        (Some(at), _) => at,
        (None, Some(at)) => {
            notes.add("created_at → updated_at", "NULL");
            at
        }
        (None, None) => {
            notes.add("created_at → that of the post", "NULL");
            post.created_at
        }
    };
    text::not_ahead(at, world.now, notes)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn old(user_id: i64, post_id: &str, emoji_code: &str) -> OldReaction {
        OldReaction {
            id: "f3e9a032-c8d3-4928-93a1-80e44f188c03".to_owned(),
            user_id,
            post_id: post_id.to_owned(),
            emoji_code: emoji_code.to_owned(),
            created_at: Some(World::sample().now),
            updated_at: None,
        }
    }

    #[rstest]
    #[case(2, &World::sample_post(true).to_string(), "pray", Ok(Emoji::Pray))]
    #[case(2, &World::sample_post(false).to_string(), "hugs", Ok(Emoji::Hug))]
    #[case(2, &World::sample_post(true).to_string(), "rocket", Err("code 'rocket'"))]
    #[case(2, "skipped", "pray", Err("its post is skipped"))]
    #[case(2, "elsewhere", "pray", Err("its post is not there"))]
    #[case(99, &World::sample_post(true).to_string(), "pray", Err("its user is not there"))]
    fn reactions_come_over_with_a_known_emoji(
        #[case] user: i64,
        #[case] post: &str,
        #[case] code: &str,
        #[case] expected: Result<Emoji, &str>,
    ) {
        let mut notes = Notes::default();
        let (mut last, world) = (LastPair::default(), World::sample());

        let mended = mend_reaction(&old(user, post, code), &mut last, &world, &mut notes);

        let emoji = mended.map(|reaction| reaction.emoji).map_err(|skipped| skipped.why);
        assert_eq!(emoji, expected.map_err(str::to_owned));
    }

    #[test]
    fn the_second_heart_of_one_person_is_skipped() {
        let post = World::sample_post(true).to_string();
        let (mut last, mut notes, world) = (LastPair::default(), Notes::default(), World::sample());
        let mut mended =
            |user| mend_heart(&old(user, &post, ""), &mut last, &world, &mut notes).is_ok();

        assert_eq!([mended(2), mended(2), mended(3)], [true, false, true]);
    }

    #[test]
    fn a_row_without_a_time_has_that_of_its_change_or_of_its_post() {
        let (world, post) = (World::sample(), World::sample_post(true));
        let timeless = OldReaction { created_at: None, ..old(2, &post.to_string(), "") };
        let changed = OldReaction { updated_at: Some(world.now), ..timeless.clone() };

        for (old, at, line) in [
            (timeless, world.posts[&post].created_at, "created_at → that of the post | NULL"),
            (changed, world.now, "created_at → updated_at | NULL"),
        ] {
            let mut notes = Notes::default();
            let heart = mend_heart(&old, &mut LastPair::default(), &world, &mut notes).unwrap();
            assert_eq!((heart.at, notes.lines()), (at, vec![line.to_owned()]));
        }
    }
}
