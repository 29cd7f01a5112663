//! People and posts with a default for everything that a test does not mention.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Content, Draft, Email, ImageUrl, PasswordHash, Post, PostType, User, UserId, Username,
    Visibility,
};
use grateful_storage::{NewUser, Repositories};
use uuid::Uuid;

use crate::{NOON, TestDatabase};

/// The password of everybody that [`a_user`] makes.
pub const PASSWORD: &str = "correct horse";

/// A hash of [`PASSWORD`], cheap to check: argon2id with 8 KiB and one pass.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$gEyLKVFn7oYup98fHcSXpQ$4gdkOZC4Ly43qNLpuwPqcrEWGGqNqO0rbBjQ+sfcuF0";

static NUMBER: AtomicU32 = AtomicU32::new(1);

fn number() -> u32 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Somebody about whom nothing matters but that they exist.
pub async fn create_user(database: &TestDatabase) -> UserId {
    a_user().insert_into(database).await.id
}

/// Lets somebody block somebody else.
pub async fn block(database: &TestDatabase, who: UserId, whom: UserId) {
    let sql = "INSERT INTO follows (id, follower_id, followed_id, status)";
    database.execute(&format!("{sql} VALUES (gen_random_uuid(), {whom}, {who}, 'blocked')")).await;
}

/// A person.
pub fn a_user() -> UserBuilder {
    UserBuilder {
        username: format!("person_{}", number()),
        password: PASSWORD_HASH.to_owned(),
        joined: NOON,
    }
}

/// What is said of a person before they are saved.
#[must_use]
pub struct UserBuilder {
    username: String,
    password: String,
    joined: DateTime<Utc>,
}

impl UserBuilder {
    /// With this username, and an address made from it.
    pub fn with_username(self, username: &str) -> Self {
        Self { username: username.to_owned(), ..self }
    }

    /// With this hash in place of that of [`PASSWORD`].
    pub fn with_password_hash(self, hash: &str) -> Self {
        Self { password: hash.to_owned(), ..self }
    }

    /// Who joined then.
    pub fn joined_at(self, moment: DateTime<Utc>) -> Self {
        Self { joined: moment, ..self }
    }

    /// Saves them.
    pub async fn insert_into(self, database: &TestDatabase) -> User {
        let new = NewUser {
            email: Email::parse(&format!("{}@example.org", self.username)).unwrap(),
            username: Username::parse(&self.username).unwrap(),
            password: PasswordHash::from(self.password),
            created_at: self.joined,
        };
        database.connect().await.users().insert(&new).await.unwrap()
    }
}

/// A public daily post by somebody, written a little after [`NOON`]: later ones are newer.
pub fn a_post() -> PostBuilder {
    let number = number();
    let draft = Draft {
        title: None,
        content: Content::parse(&format!("Thankful for number {number}"), PostType::Daily).unwrap(),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    PostBuilder {
        author: None,
        draft,
        at: NOON + TimeDelta::milliseconds(number.into()),
        id: Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 | u128::from(number)),
    }
}

/// What is said of a post before it is saved.
#[must_use]
pub struct PostBuilder {
    author: Option<UserId>,
    draft: Draft,
    at: DateTime<Utc>,
    id: Uuid,
}

impl PostBuilder {
    /// By this person; otherwise by somebody new.
    pub fn by(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// For its author alone.
    pub fn private(self) -> Self {
        self.with(|draft| draft.visibility = Visibility::Private)
    }

    /// With this image, whether or not there is a file.
    pub fn with_image(self, image: &str) -> Self {
        self.with(|draft| draft.image_url = ImageUrl::parse(image).unwrap())
    }

    /// With these words.
    pub fn with_text(self, content: &str) -> Self {
        self.with(|draft| draft.content = Content::parse(content, PostType::Daily).unwrap())
    }

    /// With everything that the author decides.
    pub fn with(mut self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// Written at this moment.
    pub fn at(self, moment: DateTime<Utc>) -> Self {
        Self { at: moment, ..self }
    }

    /// With this id.
    pub fn with_id(self, id: u128) -> Self {
        Self { id: Uuid::from_u128(id), ..self }
    }

    /// The post itself, not saved yet; its author must have been named.
    pub fn build(self) -> Post {
        Post::publish(self.id.into(), self.author.unwrap(), self.draft, self.at)
    }

    /// Saves it, and its author where none was named.
    pub async fn insert_into(self, database: &TestDatabase) -> Post {
        let author = match self.author {
            Some(author) => author,
            None => crate::create_user(database).await,
        };
        let post = Post::publish(self.id.into(), author, self.draft, self.at);
        database.connect().await.posts().insert(&post).await.unwrap();
        post
    }
}
