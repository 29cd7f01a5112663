//! Repositories: one per table or subject. Each borrows a connection.
//!
//! They run the statements of `query` and convert `rows`. [`Repositories`] makes all of them available on a connection.

mod background_jobs;
mod comments;
mod emoji_reactions;
mod engagement;
mod engagement_batches;
mod feed;
mod follows;
mod hearts;
mod idempotency_keys;
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
pub use self::feed::{Feed, FeedPage, FeedPageItem};
pub use self::follows::Follows;
pub use self::hearts::{Hearts, NewHeart, RemovedHeart};
pub use self::idempotency_keys::{Claim, ClaimOutcome, IdempotencyKeys};
pub use self::notifications::{
    HeldBackEvent, InboxPosition, Notifications, RecordResult, RemovedMentions,
};
pub use self::personal_data::PersonalData;
pub use self::posts::Posts;
pub use self::sessions::{Sessions, TokenHash};
pub use self::shares::Shares;
pub use self::stream_tickets::StreamTickets;
pub use self::users::{
    Credentials, LockedParticipants, NamedUser, NewUser, Participants, PreviousPhoto, Users,
};
use crate::Connection;

/// All repositories, on any connection: pooled, in a transaction, or your own. This trait is sealed.
pub trait Repositories: sealed::Sealed {
    /// The `users` table.
    fn users(&mut self) -> Users<'_>;
    /// The `sessions` table.
    fn sessions(&mut self) -> Sessions<'_>;
    /// The `posts` table.
    fn posts(&mut self) -> Posts<'_>;
    /// Hearts, in the `likes` table.
    fn hearts(&mut self) -> Hearts<'_>;
    /// The `emoji_reactions` table.
    fn emoji_reactions(&mut self) -> EmojiReactions<'_>;
    /// The `shares` and `share_recipients` tables.
    fn shares(&mut self) -> Shares<'_>;
    /// The `comments` table.
    fn comments(&mut self) -> Comments<'_>;
    /// The `follows` table.
    fn follows(&mut self) -> Follows<'_>;
    /// The data of one user across all tables.
    fn personal_data(&mut self) -> PersonalData<'_>;
    /// The ranked feed and trending posts.
    fn feed(&mut self) -> Feed<'_>;
    /// The `notifications` table, and the tables of inboxes, quotas, removals and withdrawn notifications.
    fn notifications(&mut self) -> Notifications<'_>;
    /// The `stream_tickets` table.
    fn stream_tickets(&mut self) -> StreamTickets<'_>;
    /// The `background_jobs` table.
    fn background_jobs(&mut self) -> BackgroundJobs<'_>;
    /// The `idempotency_keys` table.
    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_>;
}

mod sealed {
    /// Keeps [`Repositories`](super::Repositories) from being implemented elsewhere.
    pub trait Sealed {}
    impl Sealed for crate::Connection {}
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

    fn hearts(&mut self) -> Hearts<'_> {
        Hearts { conn: self }
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

    fn personal_data(&mut self) -> PersonalData<'_> {
        PersonalData { conn: self }
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

    fn background_jobs(&mut self) -> BackgroundJobs<'_> {
        BackgroundJobs { conn: self }
    }

    fn idempotency_keys(&mut self) -> IdempotencyKeys<'_> {
        IdempotencyKeys { conn: self }
    }
}
