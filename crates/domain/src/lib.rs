#![doc = include_str!("../README.md")]

mod ids;
mod invalid;
mod page;
mod post;
mod reaction;
mod session;
mod text;
mod user;
mod viewer;

pub use self::ids::{PostId, SessionId, UserId};
pub use self::invalid::{Fields, Invalid};
pub use self::page::{Limit, List, Offset, Page, PageError, Position, Slice, Start};
pub use self::post::{
    Content, Draft, Engagement, ImageUrl, ImageUrlError, PlaceName, Post, PostEdit, PostType,
    Revision, SeenPost, Title, UnknownPostType, Visibility,
};
pub use self::reaction::{Emoji, UnknownEmoji};
pub use self::session::Session;
pub use self::text::TextError;
pub use self::user::{
    Author, Bio, City, DisplayName, Email, EmailError, Institutions, ListError, Location,
    LocationError, Password, PasswordError, PasswordHash, Preferences, PreferencesError, User,
    Username, UsernameError, Websites,
};
pub use self::viewer::Viewer;
