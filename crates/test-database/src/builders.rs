//! Builders of users and posts, with defaults for everything a test does not set.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Content, Draft, Email, ImageUrl, PasswordHash, Post, PostType, User, UserId, Username,
    Visibility,
};
use grateful_storage::{NewUser, Repositories};
use uuid::Uuid;

use crate::{NOON, TestDatabase};

/// The default password of [`a_user`].
pub const PASSWORD: &str = "correct horse";

/// An argon2id hash of [`PASSWORD`], cheap to verify: 8 KiB, one pass.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$gEyLKVFn7oYup98fHcSXpQ$4gdkOZC4Ly43qNLpuwPqcrEWGGqNqO0rbBjQ+sfcuF0";

static NUMBER: AtomicU32 = AtomicU32::new(1);

fn number() -> u32 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Inserts a user with default values.
pub async fn create_user(database: &TestDatabase) -> UserId {
    a_user().insert_into(database).await.id
}

/// Inserts a user with this username.
pub async fn create_user_named(database: &TestDatabase, name: &str) -> UserId {
    a_user().with_username(name).insert_into(database).await.id
}

/// Makes `user` approve followers.
pub async fn require_follow_approval(database: &TestDatabase, user: UserId) {
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id ="#;
    database.execute(&format!("{sql} {user}")).await;
}

/// Makes `blocker` block `blocked`.
pub async fn block(database: &TestDatabase, blocker: UserId, blocked: UserId) {
    let sql = "INSERT INTO follows (id, follower_id, followed_id, status)";
    database
        .execute(&format!("{sql} VALUES (gen_random_uuid(), {blocked}, {blocker}, 'blocked')"))
        .await;
}

/// Starts building a user with a unique username and the password [`PASSWORD`] who joined at [`NOON`].
pub fn a_user() -> UserBuilder {
    UserBuilder {
        username: format!("user_{}", number()),
        password: PASSWORD_HASH.to_owned(),
        joined: NOON,
    }
}

/// Builds a user.
#[must_use]
pub struct UserBuilder {
    username: String,
    password: String,
    joined: DateTime<Utc>,
}

impl UserBuilder {
    /// Sets the username. The email address is derived from it.
    pub fn with_username(self, username: &str) -> Self {
        Self { username: username.to_owned(), ..self }
    }

    /// Sets the password hash. The default is a hash of [`PASSWORD`].
    pub fn with_password_hash(self, hash: &str) -> Self {
        Self { password: hash.to_owned(), ..self }
    }

    /// Sets the time of joining.
    pub fn joined_at(self, moment: DateTime<Utc>) -> Self {
        Self { joined: moment, ..self }
    }

    /// Inserts the user.
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

/// Starts building a public daily post, created shortly after [`NOON`]. Each post is newer than the previous one.
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

/// Builds a post.
#[must_use]
pub struct PostBuilder {
    author: Option<UserId>,
    draft: Draft,
    at: DateTime<Utc>,
    id: Uuid,
}

impl PostBuilder {
    /// Sets the author. The default is a new user.
    pub fn by(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Makes the post visible to its author only.
    pub fn private(self) -> Self {
        self.with(|draft| draft.visibility = Visibility::Private)
    }

    /// Sets the image URL. The file need not exist.
    pub fn with_image(self, image: &str) -> Self {
        self.with(|draft| draft.image_url = Some(ImageUrl::from_stored(image.to_owned())))
    }

    /// Sets the content.
    pub fn with_text(self, content: &str) -> Self {
        self.with(|draft| draft.content = Content::parse(content, PostType::Daily).unwrap())
    }

    /// Changes the draft.
    pub fn with(mut self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// Sets the creation time.
    pub fn at(self, moment: DateTime<Utc>) -> Self {
        Self { at: moment, ..self }
    }

    /// Sets the id.
    pub fn with_id(self, id: u128) -> Self {
        Self { id: Uuid::from_u128(id), ..self }
    }

    /// Builds the post without inserting it. The author must be set.
    pub fn build(self) -> Post {
        Post::publish(self.id.into(), self.author.unwrap(), self.draft, self.at)
    }

    /// Inserts the post, and a new author if none is set.
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
