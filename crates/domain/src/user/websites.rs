//! Links to the websites of a user.

#[cfg(feature = "websites")]
mod parsing;

/// Links to websites of the user. With the feature `websites`, `Websites::parse` checks them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Websites(Vec<String>);

impl Websites {
    /// The maximum number of entries.
    pub const MAX_ENTRIES: usize = 5;
    /// The maximum number of characters per URL, as supported by common browsers and servers.
    pub const MAX_CHARS: usize = 2_000;

    /// Wraps stored URLs without checking them.
    pub fn from_stored(urls: Vec<String>) -> Self {
        Self(urls)
    }

    /// The URLs, in the order of the request.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}
