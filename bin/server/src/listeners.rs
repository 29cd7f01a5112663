//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};

use anyhow::Context as _;
use socket2::{Domain, Protocol, Socket, Type};

use crate::config::ListenAddress;

/// How many connections may wait to be accepted, so that a burst of clients is not refused.
const BACKLOG: i32 = 1024;

/// How long sent data may stay unacknowledged by a client before its connection is closed.
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// The sockets for an address: for `localhost` one for IPv4 and, if the machine has it, one for IPv6.
///
/// # Errors
/// The host is unknown, or the port is in use or not permitted.
pub(crate) fn bind_listeners(address: &ListenAddress) -> anyhow::Result<Vec<TcpListener>> {
    let failed = || format!("cannot listen on {}:{}", address.host, address.port);
    if address.host != "localhost" {
        let socket_addresses =
            (address.host.as_str(), address.port).to_socket_addrs().with_context(failed)?;
        return socket_addresses
            .map(|socket_address| bind(socket_address).with_context(failed))
            .collect();
    }
    let ipv4 = bind((Ipv4Addr::LOCALHOST, address.port).into()).with_context(failed)?;
    let port = ipv4.local_addr()?.port();
    match bind((IpAddr::from(Ipv6Addr::LOCALHOST), port).into()) {
        Ok(ipv6) => Ok(vec![ipv4, ipv6]),
        // Another server has the port on ::1 and would get half of the connections to `localhost`.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && address.port != 0 => {
            Err(error).with_context(failed)
        }
        Err(_) => Ok(vec![ipv4]),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // So that a restart does not wait for the connections of the previous process.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Closes connections whose client stops reading. Accepted connections inherit the option.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SEND_TIMEOUT))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
