//! The older tables that are read.

/// A table that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    Users,
    Posts,
    Follows,
    Likes,
    EmojiReactions,
    Shares,
    Comments,
    Notifications,
}

impl Table {
    pub(crate) const ALL: [Self; 8] = [
        Self::Users,
        Self::Posts,
        Self::Follows,
        Self::Likes,
        Self::EmojiReactions,
        Self::Shares,
        Self::Comments,
        Self::Notifications,
    ];

    /// The name in the older database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Posts => "posts",
            Self::Follows => "follows",
            Self::Likes => "likes",
            Self::EmojiReactions => "emoji_reactions",
            Self::Shares => "shares",
            Self::Comments => "comments",
            Self::Notifications => "notifications",
        }
    }
}

/// The order in which rows are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// By id.
    Id,
    /// By user, post and time: what one user did with one post comes together.
    UserAndPost,
    /// By the two users.
    Edge,
    /// By time.
    Time,
    /// By recipient.
    Recipient,
}

impl Order {
    /// The columns. A table may lack some of them.
    pub(super) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id"],
            Self::UserAndPost => &["user_id", "post_id", "created_at", "id"],
            Self::Edge => &["follower_id", "followed_id", "id"],
            Self::Time => &["created_at", "id"],
            Self::Recipient => &["user_id"],
        }
    }
}

/// Columns without which a database is not one of the older Grateful. All other columns may be missing.
pub(super) const REQUIRED: [(&str, &str); 23] = [
    ("users", "id"),
    ("users", "email"),
    ("users", "username"),
    ("users", "hashed_password"),
    ("posts", "id"),
    ("posts", "author_id"),
    ("posts", "content"),
    ("posts", "post_type"),
    ("likes", "id"),
    ("likes", "user_id"),
    ("likes", "post_id"),
    ("emoji_reactions", "post_id"),
    ("emoji_reactions", "emoji_code"),
    ("shares", "user_id"),
    ("shares", "post_id"),
    ("shares", "share_method"),
    ("follows", "follower_id"),
    ("follows", "followed_id"),
    ("follows", "status"),
    ("notifications", "id"),
    ("notifications", "user_id"),
    ("notifications", "type"),
    ("notifications", "data"),
];

/// Columns that only a database of this Grateful has.
pub(super) const OURS: [(&str, &str); 2] = [("posts", "rank"), ("sessions", "token_hash")];
