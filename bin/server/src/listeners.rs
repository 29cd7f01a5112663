//! Sockets to answer on.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};

use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::ListenAddress;

/// How many connections may wait to be accepted: a burst of clients is no reason to refuse one.
const BACKLOG: i32 = 1024;

/// How long a client may leave unread what it was sent.
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// The sockets for one setting. Where `localhost` has no IPv6, IPv4 is enough.
///
/// # Errors
/// The host is unknown, or the port is in use or not ours to take.
pub(crate) fn bind_listeners(on: &ListenAddress) -> anyhow::Result<Vec<TcpListener>> {
    let failed = || format!("cannot listen on {}:{}", on.host, on.port);
    if on.host != "localhost" {
        let addresses = (on.host.as_str(), on.port).to_socket_addrs().with_context(failed)?;
        return addresses.map(|address| bind(address).with_context(failed)).collect();
    }
    let four = bind((Ipv4Addr::LOCALHOST, on.port).into()).with_context(failed)?;
    let port = four.local_addr()?.port();
    match bind((IpAddr::from(Ipv6Addr::LOCALHOST), port).into()) {
        Ok(six) => Ok(vec![four, six]),
        // Somebody else's server there would get half of the visitors of `localhost`.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && on.port != 0 => {
            Err(error).with_context(failed)
        }
        Err(_) => Ok(vec![four]),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart need not wait for the connections of the process before.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Whoever stops reading is dropped, instead of waited for. Connections take it over from here.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SEND_TIMEOUT))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(host: &str, port: u16) -> ListenAddress {
        ListenAddress { host: host.to_owned(), port }
    }

    #[test]
    fn localhost_has_one_port_for_both_families() {
        let listeners = listen(&on("localhost", 0)).unwrap();
        let ports: Vec<u16> =
            listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[test]
    fn a_port_in_use_is_named() {
        let taken = listen(&on("127.0.0.1", 0)).unwrap();
        let port = taken[0].local_addr().unwrap().port();
        let said = format!("{:#}", listen(&on("127.0.0.1", port)).unwrap_err());
        assert!(said.contains(&port.to_string()), "{said}");
    }
}
