#![doc = include_str!("../README.md")]
#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod batching;
mod clock;
mod codes;
mod comment;
mod excerpt;
mod feed;
mod follow;
mod ids;
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
mod validation;
mod viewer;

pub use self::clock::MAX_CLOCK_SKEW;
use self::clock::elapsed_since;
pub use self::codes::UnknownCode;
pub use self::comment::{
    Comment, CommentForViewer, CommentText, HiddenComment, HiddenComments, ListedComment,
};
pub use self::feed::{
    AuthorRelationship, Candidate, CandidateList, CandidateLists, FeedConfig, FeedCursor, FeedItem,
    FeedPageRequest, FeedStart, NeedMoreCandidates, Score, SeenPostKey, Signals, Slot,
    TrendingConfig, TrendingWindow, TrendingWindowError, compose,
};
pub use self::follow::{
    Follow, FollowAction, FollowCounts, FollowError, FollowListItem, FollowState, Relationship,
    Suggestion, apply_follow_action,
};
pub use self::ids::*;
pub use self::mention::{MAX_MENTIONS, MentionDiff, diff_mentions, find_mentions};
pub use self::notification::{
    BatchConfig, BatchKey, Inbox, Notification, NotificationType, Priority,
};
pub use self::page::{Limit, Offset, Page, PageError, PageRequest, PageStart, Position, Total};
pub use self::post::{
    Content, Draft, Engagement, ImageUrl, LocationName, Post, PostEdit, PostForViewer, PostType,
    Revision, Title, Visibility,
};
pub use self::rate::{Bucket, Rate};
pub use self::reaction::{Emoji, EmojiCount, Heart, HeartRecord, Reaction, ReactionRecord};
pub use self::session::Session;
pub use self::share::{
    ReceivedShare, Recipients, RecipientsError, Share, ShareDetails, ShareMessage, ShareMethod,
    ShareQuota,
};
pub use self::text::TextError;
pub use self::user::{
    Approval, Author, Bio, City, Colour, ColourError, DisplayName, Email, EmailError,
    EntryListError, Institutions, Location, LocationError, LocationQuery, LocationQueryError,
    OwnProfile, Password, PasswordError, PasswordHash, Preferences, PreferencesError,
    PreferencesPatch, Profile, ProfileEdit, ProfilePhoto, ReleasedUsername, User, UserListItem,
    UserSearchQuery, Username, UsernameBatch, UsernameError, UsernameValidation, Websites,
};
pub use self::validation::{FieldValidator, ValidationError};
pub use self::viewer::Viewer;
