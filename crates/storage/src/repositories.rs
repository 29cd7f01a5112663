//! Repositories: one per table or subject. Each borrows a connection.
//!
//! They run the statements of `query` and convert `rows`. [`Repositories`] makes all of them available on a connection.

mod background_jobs;
mod comments;
mod emoji_reactions;
mod engagement;
mod engagement_batches;
mod expired_rows;
mod failed_logins;
mod feed;
mod follows;
mod geocoder_throttle;
mod hearts;
mod housekeeping;
mod idempotency_keys;
mod location_cache;
mod marks;
mod notifications;
mod personal_data;
mod posts;
mod sessions;
mod shares;
mod stream_tickets;
mod users;

pub use self::background_jobs::{BackgroundJobs, Barrier, Job};
pub use self::comments::{CommentOwners, Comments, Thread};
pub use self::emoji_reactions::{EmojiReactions, NewReaction, SavedReaction};
pub use self::engagement_batches::EngagementOf;
pub use self::failed_logins::{EmailHash, FailedLogins};
pub use self::feed::{Feed, FeedPage, FeedPageItem};
pub use self::follows::Follows;
pub use self::geocoder_throttle::GeocoderThrottle;
pub use self::hearts::{Hearts, NewHeart, RemovedHeart};
pub use self::housekeeping::{DailyClaim, DailyJob, Housekeeping};
pub use self::idempotency_keys::{Claim, ClaimOutcome, IdempotencyKeys};
pub use self::location_cache::LocationCache;
pub use self::marks::Marks;
pub use self::notifications::{
    HeldBackEvent, InboxPosition, NotificationRead, Notifications, RecordResult, RemovedMentions,
    UnreadDeletion,
};
pub use self::personal_data::PersonalData;
pub use self::posts::Posts;
pub use self::sessions::{AccessToken, Sessions, TokenHash};
pub use self::shares::Shares;
pub use self::stream_tickets::StreamTickets;
pub use self::users::{
    Credentials, LockedParticipants, NamedUser, NewUser, Participants, PreviousPhoto, Users,
};
use crate::{Connection, ReadConnection, Reader, SharedConnection};

/// Declares the repositories: the trait, and its implementations for a connection, for a reference to one, on which statements
/// can be sent together, and for a shared one.
macro_rules! repositories {
    ($($(#[$doc:meta])* $name:ident: $repository:ident;)+) => {
        /// All repositories, on any connection: pooled, in a transaction, or your own, and in a [read](crate::Database::read),
        /// where they have only the methods that read. On a reference to a connection, they read and lock, and their
        /// statements can be sent together. This trait is sealed.
        pub trait Repositories: sealed::Sealed + Send {
            /// The connection that the repositories borrow.
            type Conn: ReadConnection;

            $($(#[$doc])* fn $name(&mut self) -> $repository<'_, Self::Conn>;)+
        }

        impl Repositories for Connection {
            type Conn = Self;

            $(fn $name(&mut self) -> $repository<'_> {
                $repository { conn: self }
            })+
        }

        impl Repositories for &Connection {
            type Conn = Self;

            $(fn $name(&mut self) -> $repository<'_, Self> {
                $repository { conn: self }
            })+
        }

        impl Repositories for Reader {
            type Conn = SharedConnection;

            $(fn $name(&mut self) -> $repository<'_, SharedConnection> {
                $repository { conn: &mut self.0 }
            })+
        }
    };
}

mod sealed {
    /// Keeps [`Repositories`](super::Repositories) from being implemented elsewhere.
    pub trait Sealed {}
    impl Sealed for crate::Connection {}
    impl Sealed for crate::Reader {}
    impl Sealed for &crate::Connection {}
}

repositories! {
    /// The `users` table.
    users: Users;
    /// The `sessions` table.
    sessions: Sessions;
    /// The `posts` table.
    posts: Posts;
    /// Hearts, in the `likes` table.
    hearts: Hearts;
    /// The `emoji_reactions` table.
    emoji_reactions: EmojiReactions;
    /// The `shares` and `share_recipients` tables.
    shares: Shares;
    /// The `comments` table.
    comments: Comments;
    /// The `follows` table.
    follows: Follows;
    /// The data of one user across all tables.
    personal_data: PersonalData;
    /// The ranked feed and trending posts.
    feed: Feed;
    /// The `notifications` table, and the tables of inboxes, quotas, removals and withdrawn notifications.
    notifications: Notifications;
    /// The `stream_tickets` table.
    stream_tickets: StreamTickets;
    /// The `background_jobs` table.
    background_jobs: BackgroundJobs;
    /// The `idempotency_keys` table.
    idempotency_keys: IdempotencyKeys;
    /// What keeps several nodes from doing the same housekeeping: locks, and the `daily_jobs` table.
    housekeeping: Housekeeping;
    /// The `marks` and `mark_epochs` tables.
    marks: Marks;
    /// The `failed_logins` table.
    failed_logins: FailedLogins;
    /// The `location_cache` table.
    location_cache: LocationCache;
    /// The `geocoder_throttle` table.
    geocoder_throttle: GeocoderThrottle;
}
