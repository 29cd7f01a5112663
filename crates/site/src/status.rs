//! `/about/server`: the page for operators.

use std::sync::LazyLock;

use actix_web::dev::RequestHead;
use actix_web::http::header::{FORWARDED, HeaderName, VIA, X_FORWARDED_FOR};

use crate::document::Document;
use crate::page::with_links;

/// Who can open the page for operators. For all others it does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusAccess {
    /// Clients on the machine of the server, without a proxy.
    Loopback,
    /// All clients that reach the server.
    Everyone,
}

impl StatusAccess {
    pub(crate) fn permits(self, request: &RequestHead) -> bool {
        self == Self::Everyone || is_from_loopback(request)
    }
}

const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Whether a program on the machine of the server sent the request itself. With a header that proxies add, it comes from
/// elsewhere or claims to: what such a header says depends on the proxy, so none is trusted here.
fn is_from_loopback(request: &RequestHead) -> bool {
    let is_loopback = request.peer_addr.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let forwarding = [X_FORWARDED_FOR, FORWARDED, VIA, X_REAL_IP];
    is_loopback && !forwarding.iter().any(|name| request.headers().contains_key(name))
}

/// The page. A script in it reads `/metrics`.
pub(crate) static STATUS_PAGE: LazyLock<Document> =
    LazyLock::new(|| Document::new(with_links(include_str!("../client/status/page.html"))));
