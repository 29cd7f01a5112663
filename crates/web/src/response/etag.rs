//! Entity tags.

use actix_web::http::header::EntityTag;
use grateful_domain::Revision;
use sha2::{Digest, Sha256};

use crate::request::revision_part;

/// The entity tag of a post as one viewer sees it: the revision, which only edits by the author change, and a digest of
/// the body, which changes with everything that the viewer sees in it.
pub(crate) fn post_etag(revision: Revision, body: &[u8]) -> EntityTag {
    EntityTag::new_strong(format!("{}-{}", revision_part(revision), digest(body)))
}

/// The entity tag of a body that depends on nothing but its resource.
pub(crate) fn content_etag(body: &[u8]) -> EntityTag {
    EntityTag::new_strong(digest(body))
}

/// The first half of the SHA-256 digest, in hexadecimal.
fn digest(body: &[u8]) -> String {
    let prefix = Sha256::digest(body).first_chunk().copied().unwrap_or_default();
    format!("{:032x}", u128::from_be_bytes(prefix))
}
