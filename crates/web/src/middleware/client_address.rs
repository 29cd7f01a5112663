//! The client's address, behind proxies or without one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The proxies whose `X-Forwarded-For` header is trusted.
pub(super) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// `None` trusts loopback, but only if nothing else can connect to the server: on a machine that listens to the world,
    /// any local process could otherwise claim any address.
    pub(super) fn new(configured: Option<&[IpNet]>, listens_on_loopback_only: bool) -> Self {
        Self(match configured {
            Some(networks) => networks.to_vec(),
            None if listens_on_loopback_only => vec![
                Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
                Ipv6Net::from(Ipv6Addr::LOCALHOST).into(),
            ],
            None => vec![],
        })
    }

    /// Returns the address that a client's requests are counted by, or `None` if a trusted proxy sends no
    /// `X-Forwarded-For`: all its clients share its address.
    ///
    /// A header that cannot be read names no client, and the address of the proxy counts. So a client cannot turn the
    /// limits off by what it sends.
    pub(super) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if !self.0.iter().any(|network| network.contains(&peer)) {
            return Some(subscriber_prefix(peer));
        }
        let last_header = headers.get_all(X_FORWARDED_FOR).last()?;
        Some(subscriber_prefix(last_address(last_header.as_bytes()).unwrap_or(peer)))
    }
}

/// The last address in a list, which the nearest proxy added. The client controls everything before it, which may be any
/// bytes.
fn last_address(list: &[u8]) -> Option<IpAddr> {
    let last = list.rsplit(|byte| *byte == b',').next()?;
    let last = str::from_utf8(last).ok()?.trim();
    let bare = || last.parse::<IpAddr>().ok();
    let bracketed = || last.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = bare().or_else(|| bracketed().map(IpAddr::from)).or_else(with_port);
    address.map(|address| address.to_canonical())
}

/// Limits IPv6 clients by /64, since one subscriber holds the whole prefix (2⁶⁴ addresses).
fn subscriber_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use rstest::rstest;

    use super::*;

    /// Takes the values of several headers separated by `|`.
    fn address_of(
        proxies: &TrustedProxies,
        peer: &str,
        forwarded_for: Option<&[u8]>,
    ) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded_for.into_iter().flat_map(|list| list.split(|byte| *byte == b'|')) {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        let address = proxies.client_address(peer.parse().unwrap(), &headers);
        address.map(|address| address.to_string())
    }

    fn address<'a>(peer: &str, forwarded_for: impl Into<Option<&'a [u8]>>) -> Option<String> {
        let networks = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"];
        let networks = networks.map(|network| network.parse().unwrap());
        address_of(&TrustedProxies::new(Some(&networks), false), peer, forwarded_for.into())
    }

    #[test]
    fn forwarded_addresses_count_only_from_a_trusted_proxy() {
        assert_eq!(address("203.0.113.7", &b"198.51.100.1"[..]).unwrap(), "203.0.113.7");
        assert_eq!(address("10.1.2.3", &b"198.51.100.1"[..]).unwrap(), "198.51.100.1");
        assert_eq!(address("::ffff:10.1.2.3", &b"198.51.100.1"[..]).unwrap(), "198.51.100.1");
    }

    #[rstest]
    #[case::list(b"192.0.2.1, 198.51.100.2")]
    #[case::several_headers(b"192.0.2.1|198.51.100.2")]
    #[case::lists_in_several_headers(b"192.0.2.1, 192.0.2.2|192.0.2.3,198.51.100.2")]
    #[case::ipv4_mapped(b"192.0.2.1,::ffff:198.51.100.2 ")]
    #[case::bracketed_ipv4_mapped(b"[::ffff:198.51.100.2]:4711")]
    #[case::port(b"198.51.100.2:4711")]
    #[case::word_before(b"unknown, 198.51.100.2")]
    #[case::byte_beyond_ascii_before(b"\xe9, 198.51.100.2")]
    #[case::utf8_before(b"\xc3\xa9, 198.51.100.2")]
    #[case::unreadable_header_before(b"\xff\xfe|198.51.100.2")]
    #[case::empty_elements_before(b",,198.51.100.2")]
    fn the_last_forwarded_address_counts(#[case] forwarded_for: &[u8]) {
        assert_eq!(address("127.0.0.1", forwarded_for).unwrap(), "198.51.100.2");
    }

    #[rstest]
    #[case::empty(b"")]
    #[case::word(b"192.0.2.1, unknown")]
    #[case::byte_beyond_ascii(b"198.51.100.2\xe9")]
    #[case::byte_beyond_ascii_alone(b"\x80")]
    #[case::utf8(b"198.51.100.2\xc3\xa9")]
    #[case::no_address_after_the_last_comma(b"198.51.100.2,")]
    #[case::unreadable_last_header(b"198.51.100.2|\xe9")]
    #[case::port_out_of_range(b"198.51.100.2:70000")]
    #[case::open_bracket(b"[2001:db8::1")]
    #[case::out_of_range(b"198.51.100.256")]
    #[case::obfuscated(b"_hidden")]
    fn an_unreadable_header_counts_as_the_address_of_the_proxy(#[case] forwarded_for: &[u8]) {
        assert_eq!(address("10.1.2.3", forwarded_for).unwrap(), "10.1.2.3");
    }

    #[test]
    fn requests_of_a_trusted_proxy_without_the_header_are_not_counted() {
        assert_eq!(address("127.0.0.1", None::<&[u8]>), None);
    }

    #[test]
    fn ipv6_addresses_are_limited_by_prefix() {
        let prefix = Some("2001:db8:1:2::".to_owned());

        assert_eq!(address("2001:db8:1:2:3:4:5:6", None::<&[u8]>), prefix);
        assert_eq!(address("::1", &b"2001:db8:1:2:ffff::1"[..]), prefix);
        assert_eq!(address("::1", &b"[2001:db8:1:2::9]"[..]), prefix);
        assert_eq!(address("::1", &b"[2001:db8:1:2::9]:4711"[..]), prefix);
        assert_ne!(address("2001:db8:1:3::1", None::<&[u8]>), prefix);
    }

    #[test]
    fn loopback_is_trusted_by_default_only_while_the_server_listens_on_loopback_alone() {
        for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let client = |listens_on_loopback_only| {
                let proxies = TrustedProxies::new(None, listens_on_loopback_only);
                address_of(&proxies, peer, Some(b"198.51.100.2")).unwrap()
            };

            assert_eq!(client(true), "198.51.100.2", "{peer}");
            assert_ne!(client(false), "198.51.100.2", "{peer}");
        }
    }

    #[test]
    fn configured_proxies_replace_the_default() {
        let proxies = TrustedProxies::new(Some(&[]), true);

        assert_eq!(address_of(&proxies, "127.0.0.1", Some(b"198.51.100.2")).unwrap(), "127.0.0.1");
    }
}
