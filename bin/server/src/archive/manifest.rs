//! The first and the last entry of a backup.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use grateful_storage::{SequenceState, TableColumns};
use serde::{Deserialize, Serialize};

use super::FORMAT;

/// The first entry: which program wrote the archive, in which format.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) program: String,
}

impl Header {
    pub(super) fn current() -> Self {
        Self { format: FORMAT, program: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The last entry: the content of the archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// The version of the program that wrote the archive.
    pub(crate) program: String,
    /// When the snapshot of the database was taken.
    pub(crate) created_at: String,
    /// The folder of the tables and checksums.
    pub(crate) snapshot: String,
    /// The versions of the migrations that the database had.
    pub(crate) migrations: Vec<String>,
    /// The size of the database in bytes, with its indexes.
    pub(crate) database_bytes: u64,
    /// The tables, referenced ones before those that refer to them.
    pub(crate) tables: Vec<Table>,
    pub(crate) sequences: Vec<Sequence>,
    pub(crate) uploads: Uploads,
}

/// A table and its parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    pub(crate) parts: Vec<Part>,
}

impl Table {
    pub(crate) fn columns(&self) -> TableColumns {
        TableColumns { name: self.name.clone(), columns: self.columns.clone() }
    }
}

/// An entry with its checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A sequence and the value that it returned last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sequence {
    name: String,
    last_value: i64,
}

impl From<SequenceState> for Sequence {
    fn from(SequenceState { name, last_value }: SequenceState) -> Self {
        Self { name, last_value }
    }
}

/// The uploaded files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Uploads {
    /// How many there are.
    pub(crate) files: u64,
    /// Their total size.
    pub(crate) bytes: u64,
    /// The lists of their checksums.
    pub(crate) lists: Vec<Part>,
    /// Files that rows name, but that did not exist.
    pub(crate) missing: Vec<String>,
}

impl Manifest {
    pub(crate) fn new(created_at: DateTime<Utc>, snapshot: String) -> Self {
        let Header { format, program } = Header::current();
        Self {
            format,
            program,
            created_at: created_at.to_rfc3339(),
            snapshot,
            migrations: Vec::new(),
            database_bytes: 0,
            tables: Vec::new(),
            sequences: Vec::new(),
            uploads: Uploads::default(),
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The sequences in the form that the storage sets.
    pub(crate) fn sequence_states(&self) -> Vec<SequenceState> {
        let state = |sequence: &Sequence| SequenceState {
            name: sequence.name.clone(),
            last_value: sequence.last_value,
        };
        self.sequences.iter().map(state).collect()
    }

    /// The sum of the sizes of all parts and uploads.
    pub(crate) fn content_bytes(&self) -> u64 {
        let parts = self.tables.iter().flat_map(|table| &table.parts);
        parts.chain(&self.uploads.lists).map(|part| part.bytes).sum::<u64>() + self.uploads.bytes
    }
}

/// The text of the first or the last entry.
pub(super) fn to_text(entry: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(entry).context("the manifest cannot be written")?;
    text.push(b'\n');
    Ok(text)
}

/// The checksum and the name of each line of a list. `None` for a line of another form.
pub(super) fn parse_checksums(text: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    text.lines().map(|line| line.split_once("  ").filter(|(checksum, _)| checksum.len() == 64))
}
