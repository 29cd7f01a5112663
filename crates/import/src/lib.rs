#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod engagement;
mod error;
mod follows;
mod ids;
mod import;
mod naming;
mod notices;
mod posts;
mod profile;
mod report;
mod source;
mod text;
mod users;
mod world;

pub use self::error::ImportError;
pub use self::import::{ImportSettings, Observer, Progress, Summary, commit, import};
pub use self::report::{Change, TableCounts};
pub use self::source::{NamedFiles, Source};
pub use self::world::{PictureFault, Pictures};
