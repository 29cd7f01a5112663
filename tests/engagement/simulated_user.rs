//! A user who runs random actions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use grateful_application::notifications::ReadFilter;
use grateful_application::{
    App, Error, Resource, Result, comments, follows, hearts, notifications, posts, profiles,
    reactions, shares,
};
use grateful_domain::{
    CommentId, CommentText, Emoji, Limit, PageRequest, PostEdit, PostId, Preferences, ProfileEdit,
    Recipients, ShareDetails, User, UserId, Visibility,
};
use grateful_testkit::{create_comment, create_post, create_share, draft};
use serde_json::json;

use crate::rng::Rng;

/// All kinds of actions with their weights. Most posts are public most of the time, and exist long enough for many
/// reactions.
pub(crate) const ACTIONS: [(&str, usize); 26] = [
    ("add heart", 32),
    ("remove heart", 32),
    ("set reaction", 32),
    ("remove reaction", 20),
    ("share link", 16),
    ("delete link share", 12),
    ("share by message", 12),
    ("comment", 16),
    ("reply", 16),
    ("edit comment", 12),
    ("delete comment", 12),
    ("read post", 4),
    ("mark one read", 6),
    ("mark all read", 2),
    ("edit post", 6),
    ("hide post", 2),
    ("show post", 8),
    ("replace post", 1),
    ("follow", 12),
    ("unfollow", 8),
    ("accept request", 6),
    ("decline request", 3),
    ("approve followers", 1),
    ("let all follow", 1),
    ("block", 3),
    ("unblock", 6),
];

/// The number of actions by kind and outcome.
pub(crate) type ActionCounts = BTreeMap<(&'static str, &'static str), u32>;

/// The posts with their authors, and the comments with theirs, that all users act on.
pub(crate) struct Targets {
    posts: Mutex<Vec<(PostId, UserId)>>,
    comments: Mutex<Vec<(PostId, CommentId, UserId)>>,
}

pub(crate) struct SimulatedUser {
    pub(crate) id: UserId,
    pub(crate) all_users: Vec<User>,
    pub(crate) app: App,
    pub(crate) targets: Arc<Targets>,
    pub(crate) rng: Rng,
}

impl Targets {
    /// Creates one post for each author.
    pub(crate) async fn with_posts(app: &App, authors: &[UserId]) -> Self {
        let mut posts = Vec::new();
        for author in authors {
            posts.push((
                create_post(app, *author, draft("For rain."), None).await.unwrap(),
                *author,
            ));
        }
        Self { posts: Mutex::new(posts), comments: Mutex::default() }
    }

    fn choose_post(&self, rng: &mut Rng) -> (usize, PostId, UserId) {
        let posts = self.posts.lock().unwrap();
        let index = rng.below(posts.len());
        let (post, author) = posts[index];
        (index, post, author)
    }

    fn choose_comment(&self, rng: &mut Rng) -> Option<(PostId, CommentId, UserId)> {
        let comments = self.comments.lock().unwrap();
        // The newest ones most likely still exist.
        let newest = &comments[comments.len().saturating_sub(50)..];
        (!newest.is_empty()).then(|| rng.choose(newest))
    }
}

impl SimulatedUser {
    /// Runs actions until `end`, or until the account is deleted.
    pub(crate) async fn act_until(mut self, end: Instant) -> ActionCounts {
        let mut counts = ActionCounts::new();
        while Instant::now() < end {
            let action = self.choose_action();
            let outcome = match self.act(action).await {
                Ok(()) => "done",
                Err(Error::Unauthenticated(_)) => return counts,
                Err(error) => {
                    expected_error(&error).unwrap_or_else(|| panic!("{action}: {error:?}"))
                }
            };
            *counts.entry((action, outcome)).or_default() += 1;
        }
        counts
    }

    fn choose_action(&mut self) -> &'static str {
        let mut number = self.rng.below(ACTIONS.iter().map(|(_, weight)| weight).sum());
        for (action, weight) in ACTIONS {
            match number.checked_sub(weight) {
                None => return action,
                Some(rest) => number = rest,
            }
        }
        unreachable!("the number is less than the sum of the weights")
    }

    async fn act(&mut self, action: &str) -> Result<()> {
        let (index, post, author) = self.targets.choose_post(&mut self.rng);
        let (app, id) = (&self.app, self.id);
        match action {
            "add heart" => hearts::add(app, id, post).await.map(drop),
            "remove heart" => hearts::remove(app, id, post).await.map(drop),
            "set reaction" => {
                let emoji = self.rng.choose(&Emoji::ALL);
                reactions::set(app, id, post, emoji).await.map(drop)
            }
            "remove reaction" => reactions::remove(app, id, post).await,
            "share link" => self.share(post, ShareDetails::Url).await,
            "delete link share" => shares::delete(app, id, post).await,
            "share by message" => {
                let details = self.message_share();
                self.share(post, details).await
            }
            "comment" => {
                let text = self.text();
                self.comment(post, None, &text).await
            }
            "reply" => match self.targets.choose_comment(&mut self.rng) {
                Some((post, comment, _)) => {
                    let text = self.text();
                    self.comment(post, Some(comment), &text).await
                }
                None => Ok(()),
            },
            "edit comment" => match self.targets.choose_comment(&mut self.rng) {
                Some((_, comment, author)) => {
                    let text = self.text();
                    self.edit_comment(author, comment, &text).await
                }
                None => Ok(()),
            },
            "delete comment" => match self.targets.choose_comment(&mut self.rng) {
                Some((_, comment, _)) => comments::delete(app, id, comment).await,
                None => Ok(()),
            },
            "read post" => self.read_post(post).await,
            "mark one read" => self.mark_one_read(author).await,
            "mark all read" => notifications::mark_all_read(app, author).await.map(drop),
            "edit post" => {
                let edit = PostEdit { content: Some(self.text()), ..PostEdit::default() };
                self.edit_post(author, post, edit).await
            }
            "hide post" => self.set_visibility(author, post, Visibility::Private).await,
            "show post" => self.set_visibility(author, post, Visibility::Public).await,
            "replace post" => self.replace_post(index, author, post).await,
            _ => self.act_on_relationship(action).await,
        }
    }

    /// Follows, blocks, and their ends. Few users take part, so that most of these meet others.
    async fn act_on_relationship(&mut self, action: &str) -> Result<()> {
        let other = self.all_users[self.rng.below(self.all_users.len() / 4)].id;
        if other == self.id {
            return Ok(());
        }
        let (app, id) = (&self.app, self.id);
        match action {
            "follow" => follows::follow(app, id, other).await.map(drop),
            "unfollow" => follows::unfollow(app, id, other).await,
            // Half of the users approve their followers.
            "accept request" => follows::accept_request(app, other, id).await,
            "decline request" => follows::decline_request(app, other, id).await,
            "approve followers" => self.set_approval(true).await,
            "let all follow" => self.set_approval(false).await,
            "block" => follows::block(app, id, other).await,
            _ => follows::unblock(app, id, other).await,
        }
    }

    async fn set_approval(&self, approve_followers: bool) -> Result<()> {
        let preferences = json!({ "approve_followers": approve_followers });
        let preferences = Preferences::parse(preferences.as_object().unwrap().clone()).unwrap();
        let edit = ProfileEdit { preferences: Some(preferences), ..ProfileEdit::default() };
        profiles::update(&self.app, self.id, edit, None).await.map(drop)
    }

    /// A message to one to three other users. A link, if it has no valid recipients.
    fn message_share(&mut self) -> ShareDetails {
        let id = self.id;
        let recipients: Vec<i64> = (0..=self.rng.below(3))
            .map(|_| self.choose_user().id)
            .filter(|recipient| *recipient != id)
            .map(i64::from)
            .collect();
        match Recipients::parse(id, &recipients) {
            Ok(recipients) => ShareDetails::Message { recipients, message: None },
            Err(_) => ShareDetails::Url,
        }
    }

    fn choose_user(&mut self) -> &User {
        &self.all_users[self.rng.below(self.all_users.len())]
    }

    /// A text with zero, one or two mentions.
    fn text(&mut self) -> String {
        let mut text = "How lovely".to_owned();
        for _ in 0..self.rng.below(3) {
            text = format!("{text} @{} !", self.choose_user().username.as_str());
        }
        text
    }

    async fn share(&self, post: PostId, details: ShareDetails) -> Result<()> {
        create_share(&self.app, self.id, post, details, None).await.map(drop)
    }

    async fn comment(&self, post: PostId, parent: Option<CommentId>, text: &str) -> Result<()> {
        let comment = create_comment(&self.app, self.id, post, text, parent).await?;
        self.targets.comments.lock().unwrap().push((post, comment, self.id));
        Ok(())
    }

    /// Edits a comment on behalf of its author.
    async fn edit_comment(&self, author: UserId, comment: CommentId, text: &str) -> Result<()> {
        let text = CommentText::parse(text).unwrap();
        comments::update(&self.app, author, comment, text).await.map(drop)
    }

    async fn read_post(&self, post: PostId) -> Result<()> {
        let page = PageRequest::first(Limit::MAX);
        hearts::list(&self.app, self.id, post, page).await?;
        reactions::get_summary(&self.app, self.id, post).await?;
        comments::list(&self.app, self.id, post, page).await.map(drop)
    }

    /// Marks a notification of the author as read: a single one, a batch, or a child of a batch.
    async fn mark_one_read(&mut self, author: UserId) -> Result<()> {
        let page = PageRequest::first(Limit::DEFAULT);
        let unread = notifications::list(&self.app, author, ReadFilter::Unread, page).await?.items;
        if unread.is_empty() {
            return Ok(());
        }
        let mut id = unread[self.rng.below(unread.len())].notification.id;
        if self.rng.below(3) == 0 {
            let children = notifications::list_children(&self.app, author, id, page).await?.items;
            id = children.first().map_or(id, |child| child.notification.id);
        }
        notifications::mark_read(&self.app, author, id).await
    }

    /// Changes the visibility of a post on behalf of its author.
    async fn set_visibility(
        &self,
        author: UserId,
        post: PostId,
        visibility: Visibility,
    ) -> Result<()> {
        let edit = PostEdit { visibility: Some(visibility), ..PostEdit::default() };
        self.edit_post(author, post, edit).await
    }

    async fn edit_post(&self, author: UserId, post: PostId, edit: PostEdit) -> Result<()> {
        posts::update(&self.app, author, post, edit, |_| true).await.map(drop)
    }

    /// Deletes a post on behalf of its author, and creates a new one that replaces it among the targets.
    async fn replace_post(&mut self, index: usize, author: UserId, post: PostId) -> Result<()> {
        let deleted = posts::delete(&self.app, author, post, |_| true).await;
        let text = self.text();
        let new_post = create_post(&self.app, self.id, draft(&text), None).await?;
        self.targets.posts.lock().unwrap()[index] = (new_post, self.id);
        deleted
    }
}

/// A label for errors about the request itself, such as a heart that does not exist. `None` for all other errors.
fn expected_error(error: &Error) -> Option<&'static str> {
    match error {
        Error::NotFound { resource, .. } => Some(match resource {
            Resource::Heart => "no heart",
            Resource::Reaction => "no reaction",
            Resource::Share => "no share",
            Resource::Comment => "no comment",
            Resource::User => "no user",
            Resource::Notification => "no notification",
            Resource::Follow => "no follow",
            Resource::FollowRequest => "no request",
            _ => "no post",
        }),
        Error::AlreadyExists { resource: Resource::Heart, .. } => Some("already hearted"),
        Error::AlreadyExists { resource: Resource::Follow, .. } => Some("already followed"),
        Error::Forbidden { resource: Resource::Comment, .. } => Some("not the author"),
        Error::Forbidden { resource: Resource::User | Resource::Post, .. } => Some("blocked"),
        Error::RuleViolation { .. } => Some("private post"),
        Error::RateLimited { .. } => Some("rate limited"),
        _ => None,
    }
}
