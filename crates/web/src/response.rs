//! What responses have in common: the envelope, lists, errors, entity tags and replays.

mod envelope;
mod etag;
mod list;
pub(crate) mod problem;
mod rate_limit_headers;
mod replay;
mod timestamp;

use actix_web::http::header::{CROSS_ORIGIN_RESOURCE_POLICY, HeaderName};

pub(crate) use self::envelope::{Envelope, Enveloped, Message};
pub(crate) use self::etag::etag;
pub(crate) use self::list::{Linked, Paged, PartView};
pub(crate) use self::problem::Problem;
pub(crate) use self::rate_limit_headers::{Quota, whole_seconds};
pub(crate) use self::replay::{Created, KeptEnveloped, created, recorded};
pub(crate) use self::timestamp::Timestamp;

/// Pages of other origins show pictures (contract §3).
pub(crate) const FOR_ALL_ORIGINS: (HeaderName, &str) =
    (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin");
