//! Entity tags.

use actix_web::http::header::EntityTag;
use grateful_domain::Revision;

/// A strong tag that only the author's edits change.
pub(crate) fn etag(revision: Revision) -> EntityTag {
    EntityTag::new_strong(format!("{:x}", revision.micros()))
}
