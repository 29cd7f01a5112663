//! Values of `emoji_reactions`.

use grateful_domain::Emoji;

use crate::error::{Result, StorageError};

/// Parses the emoji code of a row.
pub(crate) fn emoji_from_code(code: &str) -> Result<Emoji> {
    Emoji::from_code(code)
        .map_err(|_| StorageError::Corrupt { column: "emoji_reactions.emoji_code" })
}
