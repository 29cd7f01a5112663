//! Receivers of the content of a backup.

use std::io::{self, Read};

/// Gets the content of a backup, before all of it is checked.
pub(crate) trait Consumer {
    /// An uploaded file.
    fn upload(&mut self, path: &str, size: u64, content: &mut dyn Read) -> anyhow::Result<()>;

    /// Compressed rows of a table.
    fn rows(&mut self, table: &str, compressed: &mut dyn Read) -> anyhow::Result<()>;
}

/// Calls the function with the number of bytes of every entry.
pub(crate) struct Discard<F>(pub(crate) F);

impl<F: FnMut(u64) -> anyhow::Result<()>> Consumer for Discard<F> {
    fn upload(&mut self, _: &str, size: u64, _: &mut dyn Read) -> anyhow::Result<()> {
        (self.0)(size)
    }

    fn rows(&mut self, _: &str, compressed: &mut dyn Read) -> anyhow::Result<()> {
        (self.0)(io::copy(compressed, &mut io::sink())?)
    }
}
