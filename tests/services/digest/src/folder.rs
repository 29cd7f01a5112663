//! The receiver of letters: a folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use uuid::Uuid;

/// A folder with a file for each letter, from which a mail server sends them.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path, which must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Adds a letter. The id is the name of the file, so adding it again changes nothing, and the file appears with all of its
    /// content.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn deliver(&self, id: Uuid, address: &str, body: &str) -> io::Result<()> {
        let (unfinished, letter) =
            (self.0.join(format!(".{id}")), self.0.join(format!("{id}.txt")));
        let mut file = File::create(&unfinished)?;
        write!(file, "To: {address}\n\n{body}")?;
        file.sync_all()?;
        // Keeps a letter that is there already.
        let linked = fs::hard_link(&unfinished, letter);
        fs::remove_file(unfinished)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }
}
