//! What the import reports: every row that is changed, renamed or skipped, with the reason.

use std::fmt;

/// A row of the older database that does not come over as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The older table.
    pub table: &'static str,
    /// The id that the row has there.
    pub id: String,
    /// What happens to the row.
    pub what: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, id, what, why } = self;
        write!(f, "{table} {id}: {what}")?;
        if why.is_empty() { Ok(()) } else { write!(f, " ({why})") }
    }
}

/// How many rows of a table were read, and what became of them. `read` + `made` = `imported` + `skipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// The rows of the older table.
    pub read: u64,
    /// The rows of ours that come from them.
    pub imported: u64,
    /// The rows that were left out.
    pub skipped: u64,
    /// The rows of ours that no older row has.
    pub made: u64,
}

/// What mending a row has changed, while it is mended.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    changes: Vec<(String, String)>,
}

impl Notes {
    /// Notes a change and the reason.
    pub(crate) fn add(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.changes.push((what.into(), why.into()));
    }

    /// The changes of the row, for the report.
    pub(crate) fn into_changes(self, table: &'static str, id: &str) -> Vec<Change> {
        let change = |(what, why)| Change { table, id: id.to_owned(), what, why };
        self.changes.into_iter().map(change).collect()
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> Vec<String> {
        self.changes.iter().map(|(what, why)| format!("{what} | {why}")).collect()
    }
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) what: &'static str,
    pub(crate) why: String,
}

impl Skipped {
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self { what: "skipped", why: why.into() }
    }
}
