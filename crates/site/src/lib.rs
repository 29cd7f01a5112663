#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod document;
mod files;
mod page;
mod preview;
mod routes;
mod status;

use std::fmt;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

pub use self::preview::{PostPreview, PostPreviews};
pub use self::status::StatusAccess;

/// The web client, to be mounted in an actix application. Clones share everything.
#[derive(Clone)]
pub struct Site {
    /// Where the site is reachable, without a final slash. Previews name absolute URLs.
    public_url: String,
    previews: Arc<dyn PostPreviews>,
    status: StatusAccess,
}

impl Site {
    /// A site at `public_url`, such as `https://grateful.example`, that finds the posts of its links with `previews`.
    pub fn new(public_url: impl Into<String>, previews: Arc<dyn PostPreviews>) -> Self {
        Self { public_url: public_url.into(), previews, status: StatusAccess::Loopback }
    }

    /// The same site with the page for operators open to these clients. By default they are those on the server's machine.
    #[must_use]
    pub fn with_status_for(self, status: StatusAccess) -> Self {
        Self { status, ..self }
    }

    /// Registers the pages and files. `/` matches only requests that prefer HTML, so another service can answer the rest.
    pub fn configure(&self, service: &mut ServiceConfig) {
        routes::register(self, service);
    }

    /// The response to a request that no route matches: a page with the status 404 for browsers that opened an address, and
    /// `None` for all other requests and for paths of the API.
    pub fn not_found(&self, request: &HttpRequest) -> Option<HttpResponse> {
        routes::not_found(request)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}
