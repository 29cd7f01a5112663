//! The files of the client, compiled into the binary.

use std::sync::LazyLock;

use crate::document::{Document, short_hash};

/// A file of the client.
pub(crate) struct File {
    /// The path below the version, such as `views/feed.js`.
    pub(crate) name: &'static str,
    pub(crate) content: Document,
}

impl File {
    pub(crate) fn content_type(&self) -> &'static str {
        match self.extension() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        }
    }

    /// Whether the file is an ES module of the client. `theme.js` is not, since it has to run before the first paint.
    pub(crate) fn is_module(&self) -> bool {
        self.extension() == "js" && self.name != "theme.js" && !self.is_for_operators()
    }

    /// Whether the file is a style sheet of the client.
    pub(crate) fn is_style_sheet(&self) -> bool {
        self.extension() == "css" && !self.is_for_operators()
    }

    fn extension(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// Whether only the page for operators uses the file.
    fn is_for_operators(&self) -> bool {
        self.name.starts_with("status/")
    }
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// All files of the client, the style sheets in the order in which they apply.
        pub(crate) static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
            vec![$(File {
                name: $name,
                content: Document::new(include_str!(concat!("../client/", $name))),
            }),*]
        });
    };
}

files! {
    "icon.svg",
    "styles/base.css",
    "styles/layout.css",
    "styles/controls.css",
    "styles/posts.css",
    "theme.js",
    "main.js",
    "account.js",
    "announce.js",
    "api.js",
    "comments.js",
    "composer.js",
    "dialog.js",
    "dom.js",
    "endless.js",
    "form.js",
    "format.js",
    "inbox.js",
    "mentions.js",
    "people.js",
    "photo.js",
    "post-card.js",
    "posts.js",
    "region.js",
    "router.js",
    "score.js",
    "session.js",
    "share.js",
    "shell.js",
    "text.js",
    "views/feed.js",
    "views/notifications.js",
    "views/person.js",
    "views/post.js",
    "views/search.js",
    "views/settings.js",
    "views/sign-in.js",
    "status/main.js",
    "status/plot.js",
    "status/prometheus.js",
    "status/status.css",
}

/// The version of the files: a hash of all names and contents. It is in the path of every file, so that a cache never mixes
/// the files of two versions.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let parts = FILES.iter().flat_map(|file| [file.name.as_bytes(), file.content.text()]);
    short_hash(&parts.collect::<Vec<_>>())
});

pub(crate) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}
