//! The body of a response to `HEAD`.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// A body that only has the size of another. The protocol layer writes the size into the head, but would also read a body
/// to its end before it ends the response, and a notification stream does not end.
pub(crate) struct HeadOnly(BodySize);

impl HeadOnly {
    /// Drops `body`, with everything that it holds open.
    pub(crate) fn replace(body: BoxBody) -> BoxBody {
        let size = body.size();
        drop(body);
        BoxBody::new(Self(size))
    }
}

impl MessageBody for HeadOnly {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}
