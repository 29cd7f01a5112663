//! Somebody who acts without a pause.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use grateful_application::comments::CommentDraft;
use grateful_application::notifications::ReadFilter;
use grateful_application::{
    App, Error, RecordedResponse, Resource, Result, comments, hearts, notifications, posts,
    reactions, shares,
};
use grateful_domain::{
    CommentId, CommentText, Content, Draft, Emoji, Limit, PageRequest, PostEdit, PostId, PostType,
    Recipients, ShareDetails, User, UserId, Visibility,
};
use uuid::Uuid;

use crate::dice::Dice;

/// What can be done, and how often in comparison. Most posts are public most of the time, and live long enough to be loved.
pub(crate) const ACTS: [(&str, usize); 18] = [
    ("like", 32),
    ("unlike", 32),
    ("react", 32),
    ("unreact", 20),
    ("take link", 16),
    ("give link back", 12),
    ("send", 12),
    ("comment", 16),
    ("reply", 16),
    ("reword", 12),
    ("delete comment", 12),
    ("look", 4),
    ("read one", 6),
    ("read all", 2),
    ("rewrite", 6),
    ("hide", 2),
    ("show", 8),
    ("delete post", 1),
];

/// How often each act came to what.
pub(crate) type StatementStats = BTreeMap<(&'static str, &'static str), u32>;

/// Where everybody meets: a few posts with their authors, and the newest comments.
pub(crate) struct Square {
    posts: Mutex<Vec<(PostId, UserId)>>,
    comments: Mutex<Vec<(PostId, CommentId, UserId)>>,
}

pub(crate) struct Person {
    pub(crate) me: UserId,
    pub(crate) everybody: Vec<User>,
    pub(crate) app: App,
    pub(crate) square: Arc<Square>,
    pub(crate) dice: Dice,
}

impl Square {
    /// One by each of these people.
    pub(crate) async fn with_posts(app: &App, authors: &[UserId]) -> Self {
        let mut posts = Vec::new();
        for author in authors {
            posts.push((publish(app, *author, "For rain.").await.unwrap(), *author));
        }
        Self { posts: Mutex::new(posts), comments: Mutex::default() }
    }

    fn post(&self, dice: &mut Dice) -> (usize, PostId, UserId) {
        let posts = self.posts.lock().unwrap();
        let number = dice.below(posts.len());
        let (post, author) = posts[number];
        (number, post, author)
    }

    fn comment(&self, dice: &mut Dice) -> Option<(PostId, CommentId, UserId)> {
        let comments = self.comments.lock().unwrap();
        // The newest ones are the likeliest to be there still.
        let newest = &comments[comments.len().saturating_sub(50)..];
        (!newest.is_empty()).then(|| dice.pick(newest))
    }
}

impl Person {
    /// Acts until then, or until their account is deleted.
    pub(crate) async fn act_until(mut self, until: Instant) -> StatementStats {
        let mut tally = StatementStats::new();
        while Instant::now() < until {
            let act = self.next();
            let outcome = match self.act(act).await {
                Ok(()) => "done",
                Err(Error::Unauthenticated(_)) => return tally,
                Err(error) => expected(&error).unwrap_or_else(|| panic!("{act}: {error:?}")),
            };
            *tally.entry((act, outcome)).or_default() += 1;
        }
        tally
    }

    fn next(&mut self) -> &'static str {
        let mut throw = self.dice.below(ACTS.iter().map(|(_, share)| share).sum());
        for (act, share) in ACTS {
            match throw.checked_sub(share) {
                None => return act,
                Some(rest) => throw = rest,
            }
        }
        unreachable!("the throw is below the sum of the shares")
    }

    async fn act(&mut self, act: &str) -> Result<()> {
        let (number, post, author) = self.square.post(&mut self.dice);
        let (app, me) = (&self.app, self.me);
        match act {
            "like" => hearts::add(app, me, post).await.map(drop),
            "unlike" => hearts::remove(app, me, post).await.map(drop),
            "react" => {
                let emoji = self.dice.pick(&Emoji::ALL);
                reactions::set(app, me, post, emoji).await.map(drop)
            }
            "unreact" => reactions::remove(app, me, post).await,
            "take link" => self.share(post, ShareDetails::Url).await,
            "give link back" => shares::delete(app, me, post).await,
            "send" => {
                let how = self.message();
                self.share(post, how).await
            }
            "comment" => {
                let text = self.text();
                self.say(post, None, &text).await
            }
            "reply" => match self.square.comment(&mut self.dice) {
                Some((post, comment, _)) => {
                    let text = self.text();
                    self.say(post, Some(comment), &text).await
                }
                None => Ok(()),
            },
            "reword" => match self.square.comment(&mut self.dice) {
                Some((_, comment, author)) => {
                    let text = self.text();
                    self.reword(author, comment, &text).await
                }
                None => Ok(()),
            },
            "delete comment" => match self.square.comment(&mut self.dice) {
                Some((_, comment, _)) => comments::delete(app, me, comment).await,
                None => Ok(()),
            },
            "look" => self.look(post).await,
            "read one" => self.read_one(author).await,
            "read all" => notifications::mark_all_read(app, author).await.map(drop),
            "rewrite" => {
                let edit = PostEdit { content: Some(self.text()), ..PostEdit::default() };
                self.edit(author, post, edit).await
            }
            "hide" => self.turn(author, post, Visibility::Private).await,
            "show" => self.turn(author, post, Visibility::Public).await,
            _ => self.replace(number, author, post).await,
        }
    }

    /// To one to three others.
    fn message(&mut self) -> ShareDetails {
        let me = self.me;
        let people: Vec<i64> = (0..=self.dice.below(3))
            .map(|_| self.somebody().id)
            .filter(|person| *person != me)
            .map(i64::from)
            .collect();
        match Recipients::parse(me, &people) {
            Ok(recipients) => ShareDetails::Message { recipients, message: None },
            Err(_) => ShareDetails::Url,
        }
    }

    fn somebody(&mut self) -> &User {
        &self.everybody[self.dice.below(self.everybody.len())]
    }

    /// A text that names nobody, one or two.
    fn text(&mut self) -> String {
        let mut text = "How lovely".to_owned();
        for _ in 0..self.dice.below(3) {
            text = format!("{text} @{} !", self.somebody().username.as_str());
        }
        text
    }

    async fn share(&self, post: PostId, how: ShareDetails) -> Result<()> {
        shares::create(&self.app, self.me, post, how, None, |_| Vec::new()).await.map(drop)
    }

    async fn say(&self, post: PostId, parent: Option<CommentId>, text: &str) -> Result<()> {
        let text = CommentText::parse(text).unwrap();
        let say = CommentDraft { post, parent, text };
        let record = |seen: &grateful_domain::CommentForViewer| id_bytes(seen.comment.id.into());
        let answer = comments::create(&self.app, self.me, say, None, record).await?;
        self.square.comments.lock().unwrap().push((post, id(&answer).into(), self.me));
        Ok(())
    }

    /// Done by whoever wrote the comment, whoever chose it.
    async fn reword(&self, author: UserId, comment: CommentId, text: &str) -> Result<()> {
        let text = CommentText::parse(text).unwrap();
        comments::update(&self.app, author, comment, text).await.map(drop)
    }

    async fn look(&self, post: PostId) -> Result<()> {
        let page = PageRequest::first(Limit::MAX);
        hearts::list(&self.app, self.me, post, page).await?;
        reactions::get_summary(&self.app, self.me, post).await?;
        comments::list(&self.app, self.me, post, page).await.map(drop)
    }

    /// The author reads one of what they were told, be it a batch or an entry of it.
    async fn read_one(&mut self, author: UserId) -> Result<()> {
        let page = PageRequest::first(Limit::DEFAULT);
        let told = notifications::list(&self.app, author, ReadFilter::Unread, page).await?.items;
        if told.is_empty() {
            return Ok(());
        }
        let mut it = told[self.dice.below(told.len())].notification.id;
        if self.dice.below(3) == 0 {
            let entries = notifications::list_children(&self.app, author, it, page).await?.items;
            it = entries.first().map_or(it, |entry| entry.notification.id);
        }
        notifications::mark_read(&self.app, author, it).await
    }

    /// Done by the post's author, whoever chose it.
    async fn turn(&self, author: UserId, post: PostId, visibility: Visibility) -> Result<()> {
        let edit = PostEdit { visibility: Some(visibility), ..PostEdit::default() };
        self.edit(author, post, edit).await
    }

    async fn edit(&self, author: UserId, post: PostId, edit: PostEdit) -> Result<()> {
        posts::update(&self.app, author, post, edit, |_| true).await.map(drop)
    }

    /// Deletes a post in the name of its author, and puts a new one in its place.
    async fn replace(&mut self, number: usize, author: UserId, post: PostId) -> Result<()> {
        let deleted = posts::delete(&self.app, author, post).await;
        let text = self.text();
        let new = publish(&self.app, self.me, &text).await?;
        self.square.posts.lock().unwrap()[number] = (new, self.me);
        deleted
    }
}

/// In words, if it is about what was asked for and not about how others were served.
fn expected(error: &Error) -> Option<&'static str> {
    match error {
        Error::NotFound { resource, .. } => Some(match resource {
            Resource::Heart => "no heart",
            Resource::Reaction => "no reaction",
            Resource::Share => "no link",
            Resource::Comment => "no such comment",
            Resource::User => "no such person",
            Resource::Notification => "no such notification",
            _ => "no such post",
        }),
        Error::AlreadyExists { resource: Resource::Heart, .. } => Some("is there already"),
        Error::Forbidden { resource: Resource::Comment, .. } => Some("somebody else's"),
        Error::RuleViolation { .. } => Some("private"),
        Error::RateLimited { .. } => Some("too many"),
        _ => None,
    }
}

async fn publish(app: &App, author: UserId, text: &str) -> Result<PostId> {
    let draft = Draft {
        title: None,
        content: Content::parse(text, PostType::Daily).unwrap(),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let answer =
        posts::create(app, author, draft, None, |seen| id_bytes(seen.post.id.into())).await?;
    Ok(id(&answer).into())
}

fn id_bytes(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

fn id(answer: &RecordedResponse) -> Uuid {
    let (RecordedResponse::New(kept) | RecordedResponse::Replayed(kept)) = answer;
    Uuid::from_slice(kept).unwrap()
}
