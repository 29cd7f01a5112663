#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod bulk;
mod comments;
mod connection;
mod counters;
mod emoji_reactions;
mod error;
mod feed;
mod follows;
mod holdings;
mod idempotency_keys;
mod likes;
mod monitor;
mod notifications;
mod posts;
pub mod query;
mod rows;
mod schema;
mod sessions;
mod shares;
mod statement;
mod users;

/// A connection to PostgreSQL, of Diesel's asynchronous driver: one of your own has all [`Repositories`].
pub use diesel_async::AsyncPgConnection as Connection;
/// The type of [`MIGRATIONS`], for a harness of your own.
pub use diesel_migrations::EmbeddedMigrations;
/// The Diesel and the driver whose types this crate speaks: [`Connection`] is one of `diesel_async`, and errors of `diesel`
/// become a [`StorageError`]. Another major version of either is another major version of this crate.
pub use {diesel, diesel_async};

pub use self::bulk::{BulkInbox, BulkLoad, BulkNotification, BulkQuota, BulkUser};
pub use self::comments::Comments;
pub use self::connection::{
    Database, DatabaseConfig, MIGRATIONS, PooledConnection, Pools, migrate, pending_migrations,
};
pub use self::counters::{Counted, Counters, Difference, RowKey, Step};
pub use self::emoji_reactions::{EmojiReactions, NewReaction, PutReaction};
pub use self::error::{Result, StorageError, Transient};
pub use self::feed::{Composed, Feed, FeedPlace};
pub use self::follows::{FollowCounts, Follows};
pub use self::holdings::{GivenHeart, GivenReaction, Holdings, SentPost};
pub use self::idempotency_keys::{Claim, Claimed, IdempotencyKeys};
pub use self::likes::{Likes, NewLike};
pub use self::monitor::{
    METRICS, Metric, MetricKind, MetricLabel, QueryLog, QueryMonitor, Tally, Thresholds,
    counted_if_ok,
};
pub use self::notifications::{
    Change, Changed, HeldBack, InboxPosition, NoLongerNamed, NotificationCounts, NotificationStats,
    Notifications, Recorded, StreamTickets,
};
pub use self::posts::{Posts, Standing};
pub use self::query::{FollowQuery, NotificationQuery, PostQuery, UserQuery};
pub use self::sessions::{Sessions, TokenHash};
pub use self::shares::Shares;
pub use self::users::{Concerned, Credentials, NewUser, PeopleLock, PhotoBefore, Users};

/// Every repository, reachable from any connection: pooled, in a transaction, or your own. Nobody else implements it.
pub trait Repositories: sealed::Sealed {
    /// The `users` table.
    fn users(&mut self) -> Users<'_>;
    /// The `sessions` table.
    fn sessions(&mut self) -> Sessions<'_>;
    /// The `posts` table.
    fn posts(&mut self) -> Posts<'_>;
    /// The `likes` table.
    fn likes(&mut self) -> Likes<'_>;
    /// The `emoji_reactions` table.
    fn emoji_reactions(&mut self) -> EmojiReactions<'_>;
    /// The `shares` and `share_recipients` tables.
    fn shares(&mut self) -> Shares<'_>;
    /// The `comments` table.
    fn comments(&mut self) -> Comments<'_>;
    /// The `follows` table.
    fn follows(&mut self) -> Follows<'_>;
    /// What one person has done all over.
    fn holdings(&mut self) -> Holdings<'_>;
    /// Posts in the order of a feed: the ranked one, and what is trending.
    fn feed(&mut self) -> Feed<'_>;
    /// The `notifications` table, and what keeps it right.
    fn notifications(&mut self) -> Notifications<'_>;
    /// The `stream_tickets` table.
    fn stream_tickets(&mut self) -> StreamTickets<'_>;
    /// The numbers beside rows of `posts` and `users`.
    fn counters(&mut self) -> Counters<'_>;
    /// The `idempotency_keys` table.
    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_>;
}

mod sealed {
    /// Nobody else's.
    pub trait Sealed {}
    impl Sealed for super::Connection {}
}

impl Repositories for Connection {
    fn users(&mut self) -> Users<'_> {
        Users { conn: self }
    }

    fn sessions(&mut self) -> Sessions<'_> {
        Sessions { conn: self }
    }

    fn posts(&mut self) -> Posts<'_> {
        Posts { conn: self }
    }

    fn likes(&mut self) -> Likes<'_> {
        Likes { conn: self }
    }

    fn emoji_reactions(&mut self) -> EmojiReactions<'_> {
        EmojiReactions { conn: self }
    }

    fn shares(&mut self) -> Shares<'_> {
        Shares { conn: self }
    }

    fn comments(&mut self) -> Comments<'_> {
        Comments { conn: self }
    }

    fn follows(&mut self) -> Follows<'_> {
        Follows { conn: self }
    }

    fn holdings(&mut self) -> Holdings<'_> {
        Holdings { conn: self }
    }

    fn feed(&mut self) -> Feed<'_> {
        Feed { conn: self }
    }

    fn notifications(&mut self) -> Notifications<'_> {
        Notifications { conn: self }
    }

    fn stream_tickets(&mut self) -> StreamTickets<'_> {
        StreamTickets { conn: self }
    }

    fn counters(&mut self) -> Counters<'_> {
        Counters { conn: self }
    }

    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_> {
        IdempotencyKeys { conn: self }
    }
}
