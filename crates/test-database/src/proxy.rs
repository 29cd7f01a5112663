//! A TCP proxy in front of a database, which can stop forwarding.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A TCP proxy in front of a database that has a Unix socket, to simulate a network that loses connections: it can stop
/// forwarding without closing anything.
pub struct Proxy {
    address: SocketAddr,
    database: String,
    state: Arc<State>,
    listener: AbortHandle,
}

struct State {
    socket: String,
    /// Changes when all open connections freeze.
    freezes: watch::Sender<u32>,
    is_frozen: AtomicBool,
    accepted: AtomicUsize,
}

impl Proxy {
    /// Starts a proxy in front of the database with this URL, on the current runtime.
    pub async fn start(url: &str) -> Self {
        let (directory, database) =
            url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            socket: format!("{}/.s.PGSQL.5432", directory.replace("%2F", "/")),
            freezes: watch::Sender::default(),
            is_frozen: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self { address, database: database.to_owned(), state, listener: accepting }
    }

    /// The URL of the database through this proxy.
    pub fn url(&self) -> String {
        format!("postgresql://grateful@{}/{}", self.address, self.database)
    }

    /// The host and the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops forwarding on all open connections, for ever. New ones work.
    pub fn freeze_open_connections(&self) {
        self.state.freezes.send_modify(|count| *count += 1);
    }

    /// Stops forwarding on all open connections, and accepts new ones without forwarding anything.
    pub fn freeze(&self) {
        self.state.is_frozen.store(true, Ordering::Relaxed);
        self.freeze_open_connections();
    }

    /// Forwards new connections again. Frozen ones stay frozen.
    pub fn forward_new_connections(&self) {
        self.state.is_frozen.store(false, Ordering::Relaxed);
    }

    /// The number of connections that were accepted so far.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let is_frozen = state.is_frozen.load(Ordering::Relaxed);
        state.accepted.fetch_add(1, Ordering::Relaxed);
        connections.spawn(forward(client, Arc::clone(&state), is_frozen));
        while connections.try_join_next().is_some() {}
    }
}

/// When the keep-alives of PostgreSQL, as sessions of the server set them, find that a client has vanished. Otherwise its
/// connections would be used up after a few silences.
const SERVER_NOTICES_AFTER: Duration = Duration::from_secs(30);

/// Forwards until one side closes. A frozen connection is held open for the client.
async fn forward(mut client: TcpStream, state: Arc<State>, is_frozen: bool) {
    let mut freezes = state.freezes.subscribe();
    if is_frozen {
        std::future::pending::<()>().await;
    }
    let Ok(mut server) = UnixStream::connect(&state.socket).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = freezes.changed() => {
            tokio::time::sleep(SERVER_NOTICES_AFTER).await;
            drop(server);
            std::future::pending::<()>().await;
        }
    }
}
