#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod document;
mod files;
mod page;
mod preview;
mod routes;

use std::fmt;
use std::sync::Arc;

use actix_web::web::ServiceConfig;

pub use self::preview::{PostPreview, PostPreviews};

/// The web client, to be mounted in an actix application. Clones share everything.
#[derive(Clone)]
pub struct Site {
    /// Where the site is reachable, without a final slash. Previews name absolute URLs.
    public_url: String,
    previews: Arc<dyn PostPreviews>,
}

impl Site {
    /// A site at `public_url`, such as `https://grateful.example`, that finds the posts of its links with `previews`.
    pub fn new(public_url: impl Into<String>, previews: Arc<dyn PostPreviews>) -> Self {
        Self { public_url: public_url.into(), previews }
    }

    /// Registers the pages and files. `/` matches only requests that prefer HTML, so another service can answer the rest.
    pub fn configure(&self, service: &mut ServiceConfig) {
        routes::register(self, service);
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}
