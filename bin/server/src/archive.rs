//! The format of backups: a tar archive, or a folder with the same entries as files.
//!
//! | entry | content |
//! |---|---|
//! | `grateful-backup.json` | the version of the format; the first entry |
//! | `uploads/…` | the uploaded files |
//! | `snapshot-…/checksums/000001.sha256` | the checksums of up to 1,000 uploads that precede it, as `sha256sum` prints them |
//! | `snapshot-…/tables/posts/000001.copy.gz` | rows of a table: lines of PostgreSQL's text format for COPY, compressed |
//! | `manifest.json` | what the archive contains, and the checksums of all other entries but uploads; the last entry |
//!
//! An archive without its manifest is incomplete.

mod checker;
mod consumer;
mod folder;
mod hashing;
mod manifest;
mod output;
mod partial_file;
mod path_set;
mod reader;
mod writer;

pub(crate) use self::consumer::{Consumer, Discard};
pub(crate) use self::manifest::{Manifest, Uploads};
pub(crate) use self::output::Target;
pub(crate) use self::path_set::PathSet;
pub(crate) use self::reader::Archive;
pub(crate) use self::writer::ArchiveWriter;

/// The version of the format. Raised by changes that older programs cannot read.
const FORMAT: u32 = 1;

/// The name of the first entry.
const HEADER: &str = "grateful-backup.json";

/// The name of the last entry.
const MANIFEST: &str = "manifest.json";

/// The folder of the uploads.
const UPLOADS: &str = "uploads/";

/// The start of the name of the folder that has everything else.
const SNAPSHOT: &str = "snapshot-";

/// How many uploads share a list of checksums.
const UPLOADS_PER_LIST: usize = 1_000;
