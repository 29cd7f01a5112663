//! The model: expected outcomes and rows.

use std::collections::{BTreeMap, BTreeSet};

use grateful_domain::Emoji;

use crate::actions::{Action, POSTS};
use crate::postgres::Fixture;

/// The outcome of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A counted row changed.
    Changed,
    /// No counted row changed.
    Unchanged,
    /// A row it refers to is missing.
    Rejected,
}

impl From<bool> for Outcome {
    fn from(is_counted: bool) -> Self {
        if is_counted { Self::Changed } else { Self::Unchanged }
    }
}

/// The posts, each by the user with the same index.
pub(crate) struct Model {
    posts: [Option<PostModel>; POSTS],
    /// The post of every comment, including deleted ones.
    comments: Vec<usize>,
}

/// A post and its engagement.
#[derive(Default)]
struct PostModel {
    is_private: bool,
    hearts: BTreeSet<usize>,
    reactions: BTreeMap<usize, Emoji>,
    links: BTreeSet<usize>,
    /// Number of messages by user.
    messages: BTreeMap<usize, u32>,
    /// The comments, each with its parent.
    comments: BTreeMap<usize, Option<usize>>,
}

impl Default for Model {
    fn default() -> Self {
        Self { posts: std::array::from_fn(|_| Some(PostModel::default())), comments: Vec::new() }
    }
}

impl Model {
    pub(crate) fn apply(&mut self, action: Action) -> Outcome {
        match action {
            Action::Heart { user, post } => {
                self.if_visible(user, post, |model| model.hearts.insert(user))
            }
            Action::RemoveHeart { user, post } => {
                self.if_exists(post, |model| model.hearts.remove(&user))
            }
            Action::SetReaction { user, post, emoji } => {
                self.if_visible(user, post, |model| model.reactions.insert(user, emoji).is_none())
            }
            Action::RemoveReaction { user, post } => {
                self.if_exists(post, |model| model.reactions.remove(&user).is_some())
            }
            Action::ShareLink { user, post } => {
                self.if_public(post, |model| model.links.insert(user))
            }
            Action::DeleteLink { user, post } => {
                self.if_exists(post, |model| model.links.remove(&user))
            }
            Action::SendMessage { user, post } => self.if_public(post, |model| {
                *model.messages.entry(user).or_default() += 1;
                true
            }),
            Action::Comment { user, post } => self.comment(user, post, None),
            Action::Reply { user, comment, on } => match self.comments.get(comment) {
                Some(&post) => self.comment(user, on.unwrap_or(post), Some(comment)),
                None => Outcome::Unchanged,
            },
            Action::DeleteComment { comment } => match self.comments.get(comment) {
                Some(&post) => self.if_exists(post, |model| model.delete_thread(comment)),
                None => Outcome::Unchanged,
            },
            Action::DeletePost { post } => self.posts[post].take().is_some().into(),
            Action::Hide { post } => {
                self.if_exists(post, |model| !std::mem::replace(&mut model.is_private, true))
            }
            Action::Show { post } => {
                self.if_exists(post, |model| std::mem::take(&mut model.is_private))
            }
        }
    }

    fn if_exists(&mut self, post: usize, change: impl FnOnce(&mut PostModel) -> bool) -> Outcome {
        self.posts[post].as_mut().is_some_and(change).into()
    }

    /// Applies `change` if the post is public, since private posts cannot be shared.
    fn if_public(&mut self, post: usize, change: impl FnOnce(&mut PostModel) -> bool) -> Outcome {
        self.if_exists(post, |model| !model.is_private && change(model))
    }

    /// Applies `change` if the user can see the post: a private post is visible only to its author.
    fn if_visible(
        &mut self,
        user: usize,
        post: usize,
        change: impl FnOnce(&mut PostModel) -> bool,
    ) -> Outcome {
        self.if_exists(post, |model| (!model.is_private || user == post) && change(model))
    }

    fn comment(&mut self, user: usize, post: usize, parent: Option<usize>) -> Outcome {
        let number = self.comments.len();
        let mut is_orphan = false;
        let outcome = self.if_visible(user, post, |model| {
            is_orphan = parent.is_some_and(|parent| !model.comments.contains_key(&parent));
            !is_orphan && model.comments.insert(number, parent).is_none()
        });
        if outcome == Outcome::Changed {
            self.comments.push(post);
        }
        if is_orphan { Outcome::Rejected } else { outcome }
    }

    /// The expected rows, with the ids of the fixture.
    pub(crate) fn rows(&self, fixture: &Fixture) -> BTreeSet<String> {
        let mut rows = BTreeSet::new();
        for (number, post) in self.posts.iter().enumerate() {
            let author = fixture.users[number];
            match post {
                None => rows.extend([format!("author {author} 0 0")]),
                Some(post) => {
                    rows.insert(format!("author {author} 1 {}", u8::from(!post.is_private)));
                    rows.extend(post.rows(fixture, number));
                }
            }
        }
        rows
    }
}

impl PostModel {
    /// Replies have higher numbers than their parents, so one pass finds the whole thread.
    fn delete_thread(&mut self, root: usize) -> bool {
        let before = self.comments.len();
        let mut deleted = BTreeSet::new();
        self.comments.retain(|number, parent| {
            let is_deleted =
                *number == root || parent.is_some_and(|parent| deleted.contains(&parent));
            !(is_deleted && deleted.insert(*number))
        });
        self.comments.len() < before
    }

    fn rows(&self, fixture: &Fixture, number: usize) -> Vec<String> {
        let (users, post) = (&fixture.users, fixture.posts[number].id);
        let shares = self.links.len() + self.messages.len();
        let counts = [self.hearts.len(), self.reactions.len(), shares, self.comments.len()];
        let [hearts, reactions, shares, comments] = counts;
        let mut rows = vec![format!(
            "post {post} {} {hearts} {reactions} {shares} {comments}",
            !self.is_private
        )];
        rows.extend(self.hearts.iter().map(|user| format!("heart {} {post}", users[*user])));
        rows.extend(
            self.reactions
                .iter()
                .map(|(user, emoji)| format!("reaction {} {post} {}", users[*user], emoji.code())),
        );
        rows.extend(self.links.iter().map(|user| format!("url {} {post} 1", users[*user])));
        rows.extend(
            self.messages
                .iter()
                .map(|(user, times)| format!("message {} {post} {times}", users[*user])),
        );
        rows.extend(self.comments.iter().map(|(number, parent)| {
            let parent = parent
                .map_or_else(|| "-".to_owned(), |parent| fixture.comments[parent].id.to_string());
            format!("comment {} {post} {parent}", fixture.comments[*number].id)
        }));
        rows
    }
}
