#![doc = include_str!("../README.md")]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod comment;
mod feed;
mod follow;
mod ids;
mod invalid;
mod mention;
pub mod notification;
mod page;
mod post;
mod rate;
mod reaction;
mod session;
mod share;
mod text;
mod user;
mod viewer;

pub use self::comment::{Comment, CommentText, SeenComment};
pub use self::feed::{
    Candidate, CandidateList, CandidateLists, FeedConfig, FeedCursor, FeedItem, FeedPageRequest,
    FeedStart, NeedMoreCandidates, Relationship, Score, SeenPostKey, Signals, Slot, TrendingConfig,
    TrendingWindow, TrendingWindowError, compose,
};
pub use self::follow::{
    Approval, Edge, Follow, FollowAct, FollowRefusal, Listed, Relation, Suggestion, UnknownEdge,
    relate,
};
pub use self::ids::{
    CommentId, FollowId, LikeId, NotificationId, PostId, ReactionId, SessionId, ShareId, UserId,
};
pub use self::invalid::{Fields, Invalid};
pub use self::mention::{MOST_MENTIONS, NamedAnew, mentions, named_anew};
pub use self::notification::{
    BatchConfig, BatchKey, Inbox, Notification, NotificationType, Priority, UnknownNotificationType,
};
pub use self::page::{
    CountMode, EngagementPosition, Limit, ListKind, Offset, Page, PageError, PageRequest,
    PageStart, Position, RankPosition, Total,
};
pub use self::post::{
    Content, Draft, Engagement, ImageUrl, ImageUrlError, PlaceName, Post, PostEdit, PostType,
    Revision, SeenPost, Title, UnknownPostType, Visibility,
};
pub use self::rate::{Bucket, Rate};
pub use self::reaction::{Emoji, EmojiCount, Heart, Reaction, UnknownEmoji};
pub use self::session::Session;
pub use self::share::{
    NewShare, Recipients, RecipientsError, Share, ShareMessage, ShareMethod, ShareQuota,
    UnknownShareMethod,
};
pub use self::text::TextError;
pub use self::user::{
    AskedNames, Author, Bio, City, Colour, ColourError, DisplayName, Email, EmailError,
    Institutions, ListError, Location, LocationError, LocationQuery, LocationQueryError,
    OwnProfile, Password, PasswordError, PasswordHash, PeopleQuery, Person, PhotoSize, Preferences,
    PreferencesError, Profile, ProfileEdit, ProfilePhoto, SortedNames, User, Username,
    UsernameError, Websites,
};
pub use self::viewer::Viewer;
