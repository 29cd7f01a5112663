//! What should be.

use std::collections::{BTreeMap, BTreeSet};

use grateful_domain::Emoji;

use crate::actions::{Act, POSTS};
use crate::postgres::Cast;

/// What an act came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It changed what is counted.
    CounterTable,
    /// It did not.
    Uncounted,
    /// What it needs is not there.
    Refused,
}

impl From<bool> for Outcome {
    fn from(counted: bool) -> Self {
        if counted { Self::CounterTable } else { Self::Uncounted }
    }
}

/// Posts, each by the person of the same number.
pub(crate) struct Model {
    posts: [Option<PostModel>; POSTS],
    /// On which post each comment was made, gone or not.
    comments: Vec<usize>,
}

/// What hangs on a post.
#[derive(Default)]
struct PostModel {
    is_private: bool,
    hearts: BTreeSet<usize>,
    reactions: BTreeMap<usize, Emoji>,
    links: BTreeSet<usize>,
    /// How many messages each person sent.
    messages: BTreeMap<usize, u32>,
    /// Each comment, with the one that it answers.
    comments: BTreeMap<usize, Option<usize>>,
}

impl Default for Model {
    fn default() -> Self {
        Self { posts: std::array::from_fn(|_| Some(PostModel::default())), comments: Vec::new() }
    }
}

impl Model {
    pub(crate) fn play(&mut self, act: Act) -> Outcome {
        match act {
            Act::Heart { who, post } => self.seen(who, post, |it| it.hearts.insert(who)),
            Act::Unheart { who, post } => self.seen(who, post, |it| it.hearts.remove(&who)),
            Act::React { who, post, emoji } => {
                self.seen(who, post, |it| it.reactions.insert(who, emoji).is_none())
            }
            Act::Unreact { who, post } => {
                self.seen(who, post, |it| it.reactions.remove(&who).is_some())
            }
            Act::TakeLink { who, post } => self.public(post, |it| it.links.insert(who)),
            Act::GiveLinkBack { who, post } => self.any(post, |it| it.links.remove(&who)),
            Act::Send { who, post } => self.public(post, |it| {
                *it.messages.entry(who).or_default() += 1;
                true
            }),
            Act::Comment { who, post } => self.comment(who, post, None),
            Act::Reply { who, comment, on } => match self.comments.get(comment) {
                Some(&post) => self.comment(who, on.unwrap_or(post), Some(comment)),
                None => Outcome::Uncounted,
            },
            Act::Uncomment { comment } => match self.comments.get(comment) {
                Some(&post) => self.any(post, |it| it.uncomment(comment)),
                None => Outcome::Uncounted,
            },
            Act::Delete { post } => self.posts[post].take().is_some().into(),
            Act::Hide { post } => self.any(post, |it| !std::mem::replace(&mut it.is_private, true)),
            Act::Show { post } => self.any(post, |it| std::mem::take(&mut it.is_private)),
        }
    }

    fn any(&mut self, post: usize, act: impl FnOnce(&mut PostModel) -> bool) -> Outcome {
        self.posts[post].as_mut().is_some_and(act).into()
    }

    /// A private post is passed on by nobody.
    fn public(&mut self, post: usize, act: impl FnOnce(&mut PostModel) -> bool) -> Outcome {
        self.any(post, |it| !it.is_private && act(it))
    }

    /// A private post is there for its author alone.
    fn seen(
        &mut self,
        who: usize,
        post: usize,
        act: impl FnOnce(&mut PostModel) -> bool,
    ) -> Outcome {
        self.any(post, |it| (!it.is_private || who == post) && act(it))
    }

    fn comment(&mut self, who: usize, post: usize, parent: Option<usize>) -> Outcome {
        let number = self.comments.len();
        let mut is_orphan = false;
        let outcome = self.seen(who, post, |it| {
            is_orphan = parent.is_some_and(|parent| !it.comments.contains_key(&parent));
            !is_orphan && it.comments.insert(number, parent).is_none()
        });
        if outcome == Outcome::CounterTable {
            self.comments.push(post);
        }
        if is_orphan { Outcome::Refused } else { outcome }
    }

    /// All rows that there should be, by the names that the cast has in the database.
    pub(crate) fn rows(&self, cast: &Cast) -> BTreeSet<String> {
        let mut rows = BTreeSet::new();
        for (number, post) in self.posts.iter().enumerate() {
            let author = cast.people[number];
            match post {
                None => rows.extend([format!("author {author} 0 0")]),
                Some(post) => {
                    rows.insert(format!("author {author} 1 {}", u8::from(!post.is_private)));
                    rows.extend(post.rows(cast, number));
                }
            }
        }
        rows
    }
}

impl PostModel {
    /// An answer has a higher number than what it answers, so that one pass meets the whole tree.
    fn uncomment(&mut self, root: usize) -> bool {
        let before = self.comments.len();
        let mut gone = BTreeSet::new();
        self.comments.retain(|number, parent| {
            let goes = *number == root || parent.is_some_and(|parent| gone.contains(&parent));
            !(goes && gone.insert(*number))
        });
        self.comments.len() < before
    }

    fn rows(&self, cast: &Cast, number: usize) -> Vec<String> {
        let (people, post) = (&cast.people, cast.posts[number].id);
        let shares = self.links.len() + self.messages.len();
        let counts = [self.hearts.len(), self.reactions.len(), shares, self.comments.len()];
        let [hearts, reactions, shares, comments] = counts;
        let mut rows = vec![format!(
            "post {post} {} {hearts} {reactions} {shares} {comments}",
            !self.is_private
        )];
        rows.extend(self.hearts.iter().map(|who| format!("heart {} {post}", people[*who])));
        rows.extend(
            self.reactions
                .iter()
                .map(|(who, emoji)| format!("reaction {} {post} {}", people[*who], emoji.code())),
        );
        rows.extend(self.links.iter().map(|who| format!("url {} {post} 1", people[*who])));
        rows.extend(
            self.messages
                .iter()
                .map(|(who, times)| format!("message {} {post} {times}", people[*who])),
        );
        rows.extend(self.comments.iter().map(|(number, parent)| {
            let parent =
                parent.map_or_else(|| "-".to_owned(), |it| cast.comments[it].id.to_string());
            format!("comment {} {post} {parent}", cast.comments[*number].id)
        }));
        rows
    }
}
