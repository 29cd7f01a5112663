//! Comments, and the order in which they are written.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use grateful_domain::{Comment, CommentId, CommentText, PostId, TextError, UserId};
use uuid::Uuid;

use super::{note_id, target, when};
use crate::ids;
use crate::report::{Change, Notes, Skipped};
use crate::text::{self, Cleaned};
use crate::world::World;

/// A row of the older `comments`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldComment {
    pub(crate) id: String,
    pub(crate) author_id: i64,
    pub(crate) post_id: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) content: String,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

/// Mends a comment. For its parent, the comments of the world have to be known; without them it is at the top level.
pub(crate) fn mend(old: &OldComment, world: &World, notes: &mut Notes) -> Result<Comment, Skipped> {
    let (post, facts) = target(&old.post_id, old.author_id, world)?;
    let Cleaned { text, is_cut } = text::lines(&old.content);
    let content = match CommentText::parse(&text) {
        Ok(content) => content,
        Err(TextError::Empty) => {
            let what = "skipped; replies to it move to the top level";
            return Err(Skipped { what, why: "no visible character".to_owned() });
        }
        Err(error) => {
            if let TextError::TooLong { chars, max } = error {
                notes.add("kept whole", format!("{chars} characters, {max} allowed"));
            }
            CommentText::from_stored(text)
        }
    };
    if is_cut {
        notes.add("cleaned", "control characters");
    }
    note_id(&old.id, notes);
    Ok(Comment {
        id: CommentId::from(ids::of_row(&old.id)),
        post: PostId::from(post),
        author: UserId::from(old.author_id),
        parent: parent(old, post, world, notes).map(CommentId::from),
        text: content,
        created_at: when(old.created_at, old.updated_at, facts, world, notes),
        updated_at: old.updated_at.map(|at| at.min(world.now)),
    })
}

/// The parent, if it comes over and is on the same post.
fn parent(old: &OldComment, post: Uuid, world: &World, notes: &mut Notes) -> Option<Uuid> {
    let parent = ids::of_row(old.parent_id.as_deref()?);
    let why = match world.comments.get(&parent) {
        Some(it) if it.post == post && parent != ids::of_row(&old.id) => return Some(parent),
        Some(it) if it.post == post => "it is its own parent",
        Some(_) => "parent is on another post",
        None if world.skipped_comments.contains(&parent) => "parent is skipped",
        None => "parent is not there",
    };
    notes.add("parent_id → NULL", why);
    None
}

/// Puts replies after their parents. Rows come in the order of their times, so hardly any has to wait.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    written: HashSet<Uuid>,
    waiting: HashMap<Uuid, Vec<Comment>>,
}

impl Replies {
    /// The comments that can be written once this one can: none, if its parent is still to come.
    pub(crate) fn add(&mut self, comment: Comment) -> Vec<Comment> {
        let parent = comment.parent.map(Uuid::from);
        if let Some(parent) = parent.filter(|parent| !self.written.contains(parent)) {
            self.waiting.entry(parent).or_default().push(comment);
            return vec![];
        }
        let mut ready = vec![comment];
        let mut next = 0;
        while let Some(comment) = ready.get(next) {
            let id = Uuid::from(comment.id);
            self.written.insert(id);
            ready.extend(self.waiting.remove(&id).into_iter().flatten());
            next += 1;
        }
        ready
    }

    /// What still waits at the end, because parents form a circle. It moves to the top level.
    pub(crate) fn finish(self) -> Vec<(Comment, Change)> {
        let circles = self.waiting.into_values().flatten().map(|comment| {
            let id = comment.id.to_string();
            let (what, why) = ("parent_id → NULL".to_owned(), "parents form a circle".to_owned());
            (Comment { parent: None, ..comment }, Change { table: "comments", id, what, why })
        });
        circles.collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::world::CommentFacts;

    fn old(content: &str) -> OldComment {
        OldComment {
            id: Uuid::from_u128(0xc1).to_string(),
            author_id: 2,
            post_id: World::sample_post(true).to_string(),
            parent_id: None,
            content: content.to_owned(),
            created_at: Some(World::sample().now),
            updated_at: None,
        }
    }

    fn world() -> World {
        let (here, elsewhere) = (World::sample_post(true), World::sample_post(false));
        let on = |post| CommentFacts { post, author: 1 };
        let comments = [
            (Uuid::from_u128(0xc1), on(here)),
            (ids::of_row("here"), on(here)),
            (ids::of_row("elsewhere"), on(elsewhere)),
        ];
        let skipped_comments = [ids::of_row("blank")].into();
        World { comments: comments.into(), skipped_comments, ..World::sample() }
    }

    #[rstest]
    #[case("here", None)]
    #[case("elsewhere", Some("parent is on another post"))]
    #[case("blank", Some("parent is skipped"))]
    #[case("unknown", Some("parent is not there"))]
    #[case("00000000-0000-0000-0000-0000000000c1", Some("it is its own parent"))]
    fn a_reply_whose_parent_does_not_come_over_moves_to_the_top_level(
        #[case] parent: &str,
        #[case] why: Option<&str>,
    ) {
        let mut notes = Notes::default();
        let reply = OldComment { parent_id: Some(parent.to_owned()), ..old("yes") };

        let mended = mend(&reply, &world(), &mut notes).unwrap();

        assert_eq!(mended.parent.is_some(), why.is_none());
        assert_eq!(
            notes.lines(),
            Vec::from_iter(why.map(|why| format!("parent_id → NULL | {why}")))
        );
    }

    #[test]
    fn a_comment_stays_whole_and_one_without_a_visible_character_is_skipped() {
        let mut notes = Notes::default();
        let long = mend(&old(&"c".repeat(800)), &world(), &mut notes).unwrap();
        assert_eq!(long.text.as_str().len(), 800);
        assert_eq!(notes.lines(), ["kept whole | 800 characters, 500 allowed"]);

        let blank = mend(&old(" \n"), &world(), &mut Notes::default()).unwrap_err();
        assert_eq!(blank.why, "no visible character");
    }

    #[test]
    fn replies_are_written_after_their_parents() {
        let comment = |id: u128, parent: Option<u128>| Comment {
            id: Uuid::from_u128(id).into(),
            parent: parent.map(|parent| Uuid::from_u128(parent).into()),
            ..mend(&old("yes"), &world(), &mut Notes::default()).unwrap()
        };
        let mut replies = Replies::default();
        let ids = |ready: Vec<Comment>| -> Vec<u128> {
            ready.into_iter().map(|comment| Uuid::from(comment.id).as_u128()).collect()
        };

        assert_eq!(ids(replies.add(comment(3, Some(2)))), []);
        assert_eq!(ids(replies.add(comment(2, Some(1)))), []);
        assert_eq!(ids(replies.add(comment(1, None))), [1, 2, 3]);
        assert_eq!(ids(replies.add(comment(4, Some(3)))), [4]);
        assert_eq!(ids(replies.add(comment(6, Some(5)))), []);
        assert_eq!(ids(replies.add(comment(5, Some(6)))), []);
        let circle = replies.finish();
        assert_eq!(circle.len(), 2);
        assert!(circle.iter().all(|(comment, _)| comment.parent.is_none()));
    }
}
