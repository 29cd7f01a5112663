//! A post as the body of a response, with its entity tag (docs/http-api.md#etags).

use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, ContentType, ETAG, EntityTag, HeaderName, VARY,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use grateful_application::RecordedResponse;
use grateful_domain::PostForViewer;

use super::PostView;
use crate::request::IfNoneMatch;
use crate::response::{REPLAYED, post_etag, stored_body};

/// The body of a post as one viewer sees it, and the entity tag of this body.
pub(super) struct TaggedPost {
    tag: EntityTag,
    body: Vec<u8>,
}

impl From<PostForViewer> for TaggedPost {
    fn from(post: PostForViewer) -> Self {
        let revision = post.post.revision();
        let body = stored_body(&PostView::from(post));
        Self { tag: post_etag(revision, &body), body }
    }
}

impl TaggedPost {
    /// 200 with the post.
    pub(super) fn into_response(self) -> HttpResponse {
        let response = with_cache_headers(HttpResponse::Ok(), self.tag);
        with_json(response, self.body)
    }

    /// 304 if the client has this body already, otherwise 200 with the post.
    pub(super) fn into_conditional_response(self, if_none_match: &IfNoneMatch) -> HttpResponse {
        if if_none_match.matches(&self.tag) {
            with_cache_headers(HttpResponse::NotModified(), self.tag).finish()
        } else {
            self.into_response()
        }
    }

    /// A created post as it is stored for replays: its entity tag, a line break, its body.
    pub(super) fn into_stored(self) -> Vec<u8> {
        [self.tag.tag().as_bytes(), b"\n", &self.body].concat()
    }

    /// 201 with a stored post, new or replayed.
    pub(super) fn created_response(recorded: RecordedResponse) -> HttpResponse {
        let mut response = HttpResponse::Created();
        let stored = match recorded {
            RecordedResponse::New(stored) => stored,
            RecordedResponse::Replayed(stored) => {
                response.insert_header((REPLAYED, "true"));
                stored
            }
        };
        let stored = String::from_utf8_lossy(&stored);
        let (tag, body) = stored.split_once('\n').unwrap_or_default();
        response.insert_header((ETAG, EntityTag::new_strong(tag.to_owned())));
        with_json(response, body.as_bytes().to_vec())
    }
}

/// Adds the entity tag, and requires that a copy is revalidated before use and not used for another caller.
fn with_cache_headers(mut response: HttpResponseBuilder, tag: EntityTag) -> HttpResponseBuilder {
    const REVALIDATE: (HeaderName, &str) = (CACHE_CONTROL, "private, no-cache");
    response
        .insert_header((ETAG, tag))
        .insert_header(REVALIDATE)
        .insert_header((VARY, AUTHORIZATION.as_str()));
    response
}

fn with_json(mut response: HttpResponseBuilder, body: Vec<u8>) -> HttpResponse {
    response.content_type(ContentType::json()).body(body)
}
