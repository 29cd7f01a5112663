//! Entity tags.

use actix_web::http::header::EntityTag;
use grateful_domain::Revision;

/// Returns the strong entity tag of a revision. Only edits by the author change it.
pub(crate) fn etag(revision: Revision) -> EntityTag {
    EntityTag::new_strong(format!("{:x}", revision.micros()))
}
