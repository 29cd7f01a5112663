//! The use cases, one module per subject. They build on the modules beside this one, which import none of them.

pub mod accounts;
pub mod adopted_files;
pub mod comments;
pub mod export;
pub mod feed;
pub mod follows;
pub mod health;
pub mod hearts;
pub mod housekeeping;
pub mod locations;
pub mod notifications;
pub mod photos;
pub mod posts;
pub mod profiles;
pub mod reactions;
pub mod sessions;
pub mod shares;
pub mod uploads;
pub mod users;
#[cfg(feature = "verify")]
pub mod verify;
