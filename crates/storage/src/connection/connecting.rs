//! Opening connections: all hosts at once, each with a deadline, and with TLS where it is wanted.

mod address;
mod messages;
mod monitored_stream;
mod positions;
mod role;
#[cfg(feature = "tls")]
mod tls;
mod wire;

use std::error::Error as _;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::Either;
use futures_util::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, SimpleQueryRow};

pub(super) use self::address::server_name;
use self::address::{Address, Endpoint, Target, TlsMode};
pub use self::address::{InvalidUrl, check_url};
use self::monitored_stream::MonitoredStream;
use self::positions::check_replica;
pub(super) use self::positions::{ask_primary, ask_replica};
use self::wire::Wire;
pub(crate) use self::wire::{Link, ServerHealth};
use super::config::KEEPALIVE;
use super::replica_state::ReplicaState;
use super::session_settings::SessionSettings;
use crate::error::{Result, StorageError};

/// How long one host may take until a second connection to it is tried as well. A lost packet is sent again only after a
/// second.
const RETRY_AFTER: Duration = Duration::from_millis(300);

const NO_ADDRESS: &str = "the name has no address";

/// How much longer than PostgreSQL, which cancels a statement that takes too long, this side waits for an answer.
pub(super) const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Opens connections to one database.
pub(crate) struct Connector {
    address: Result<Address, InvalidUrl>,
    health: Arc<ServerHealth>,
    /// How long PostgreSQL may owe an answer. `None` is no limit.
    answer_limit: Option<Duration>,
    /// How long opening a connection may take.
    time_limit: Duration,
    settings: SessionSettings,
    reads_only: bool,
    /// The replica that the connections must lead to, if any.
    replica: Option<Arc<ReplicaState>>,
}

/// An open connection. The task that drives it ends when the client is dropped.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) link: Link,
}

impl Connector {
    /// For connections that are opened within `time_limit`, and fail if PostgreSQL owes an answer for longer than
    /// `answer_limit`.
    pub(super) fn new(
        url: &str,
        health: Arc<ServerHealth>,
        time_limit: Duration,
        answer_limit: Option<Duration>,
    ) -> Self {
        let address = Address::parse(url);
        let settings = SessionSettings::default();
        Self {
            address,
            health,
            answer_limit,
            time_limit,
            settings,
            reads_only: false,
            replica: None,
        }
    }

    /// For a connection that belongs to no pool.
    pub(crate) fn alone(url: &str, time_limit: Duration, answer_limit: Option<Duration>) -> Self {
        Self::new(url, ServerHealth::new("none"), time_limit, answer_limit)
    }

    /// For sessions with these settings.
    pub(super) fn with_settings(self, settings: SessionSettings) -> Self {
        Self { settings, ..self }
    }

    /// For sessions in which the server refuses writes. Their name tells them apart in `pg_stat_activity`.
    pub(super) fn for_reads(self) -> Self {
        let settings = self.settings.with("default_transaction_read_only", "on");
        Self { reads_only: true, settings, ..self }
    }

    /// For connections to this replica, if there is one.
    pub(super) fn for_replica(self, replica: Option<Arc<ReplicaState>>) -> Self {
        Self { replica, ..self }
    }

    /// Opens a connection to the host that has the wanted role and is the first to answer.
    ///
    /// # Errors
    /// `Unavailable` with a line that says what is wrong with each host.
    pub(crate) async fn open(&self) -> Result<Opened> {
        let address = match &self.address {
            Ok(address) => address,
            Err(invalid) => return Err(StorageError::Unavailable(invalid.clone().into())),
        };
        let mut pending: FuturesUnordered<_> =
            address.targets.iter().map(|target| self.open_target(address, target)).collect();
        let mut failures = Vec::new();
        let race = async {
            while let Some(opened) = pending.next().await {
                match opened {
                    Ok(opened) => return Some(opened),
                    Err(failure) => failures.push(failure),
                }
            }
            None
        };
        let opened = timeout(self.time_limit, race).await;
        opened.ok().flatten().ok_or_else(|| {
            let silent = address.targets.len() - failures.len();
            let after = self.time_limit;
            StorageError::Unavailable(NoHost { failures, silent, after }.into())
        })
    }

    /// Connects to one host. If that takes long, tries a second time without giving up the first.
    async fn open_target(&self, address: &Address, target: &Target) -> Result<Opened, String> {
        let named = |reason: String| format!("{target}: {reason}");
        let Endpoint::Tcp { name, ip } = &target.endpoint else {
            return self.open_endpoint(address, target, None).await.map_err(named);
        };
        let second = Box::pin(async {
            sleep(RETRY_AFTER).await;
            self.open_tcp(address, target, name, *ip).await
        });
        let first = Box::pin(self.open_tcp(address, target, name, *ip));
        match futures_util::future::select(first, second).await {
            Either::Left((opened, _)) => opened,
            Either::Right((Ok(opened), _)) => Ok(opened),
            Either::Right((Err(_), first)) => first.await,
        }
        .map_err(named)
    }

    /// Connects to all addresses of a host at once.
    async fn open_tcp(
        &self,
        address: &Address,
        target: &Target,
        name: &str,
        ip: Option<IpAddr>,
    ) -> Result<Opened, String> {
        let addresses: Vec<SocketAddr> = match ip {
            Some(ip) => vec![SocketAddr::new(ip, target.port)],
            None => tokio::net::lookup_host((name, target.port))
                .await
                .map_err(|error| error.to_string())?
                .collect(),
        };
        let attempts =
            addresses.into_iter().map(|ip| self.open_endpoint(address, target, Some(ip)));
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        let mut last = NO_ADDRESS.to_owned();
        while let Some(opened) = attempts.next().await {
            match opened {
                Ok(opened) => return Ok(opened),
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }

    /// Connects to one address, and asks for the role.
    async fn open_endpoint(
        &self,
        address: &Address,
        target: &Target,
        ip: Option<SocketAddr>,
    ) -> Result<Opened, String> {
        let opened = match (&target.endpoint, ip) {
            (Endpoint::Unix(directory), _) => {
                let path = directory.join(format!(".s.PGSQL.{}", target.port));
                let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
                self.start_session(address, stream, SslMode::Disable, |_| NoTls).await?
            }
            (Endpoint::Tcp { name, .. }, Some(ip)) => {
                let stream = self.connect_tcp(ip).await.map_err(|error| error.to_string())?;
                self.start_tcp_session(address, name, stream).await?
            }
            (Endpoint::Tcp { .. }, None) => return Err(NO_ADDRESS.to_owned()),
        };
        if let Some(replica) = &self.replica {
            check_replica(&opened.client, replica).await?;
        }
        let question = address.role.question(self.reads_only);
        let Some((question, answer)) = question else { return Ok(opened) };
        let row = first_row(&opened.client, question).await.map_err(|error| explain(&error))?;
        let has_role = row.is_some_and(|row| row.get(0) == Some(answer));
        if has_role { Ok(opened) } else { Err(address.role.refusal().to_owned()) }
    }

    /// Opens a socket that notices when the other side has vanished.
    async fn connect_tcp(&self, ip: SocketAddr) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(ip).await?;
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE.idle)
            .with_interval(KEEPALIVE.interval)
            .with_retries(KEEPALIVE.count);
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(self.answer_limit)?;
        Ok(stream)
    }

    #[cfg(feature = "tls")]
    async fn start_tcp_session(
        &self,
        address: &Address,
        host: &str,
        stream: TcpStream,
    ) -> Result<Opened, String> {
        let mode = match address.tls.mode {
            TlsMode::Disable => {
                return self.start_session(address, stream, SslMode::Disable, |_| NoTls).await;
            }
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        };
        let connector = tls::connector(&address.tls)?;
        let handshake = |wire: &_| tls::Handshake::new(connector, host, wire, self.answer_limit);
        self.start_session(address, stream, mode, handshake).await
    }

    #[cfg(not(feature = "tls"))]
    async fn start_tcp_session(
        &self,
        address: &Address,
        _: &str,
        stream: TcpStream,
    ) -> Result<Opened, String> {
        debug_assert!(address.tls.mode <= TlsMode::Prefer, "checked with the URL");
        self.start_session(address, stream, SslMode::Disable, |_| NoTls).await
    }

    /// Authenticates, and starts the task that drives the connection.
    async fn start_session<S, T>(
        &self,
        address: &Address,
        stream: S,
        mode: SslMode,
        tls: impl FnOnce(&Arc<Wire>) -> T,
    ) -> Result<Opened, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsConnect<MonitoredStream<S>, Future: Send, Stream: Unpin + Send + 'static> + Send,
    {
        let wire = Wire::new(&self.health, self.reads_only);
        let tls = tls(&wire);
        let stream =
            MonitoredStream::new(stream, &wire, self.answer_limit, mode != SslMode::Disable);
        let mut config = address.config.clone();
        let options =
            [address.config.get_options().unwrap_or_default(), &*self.settings.to_options()]
                .concat();
        config.ssl_mode(mode);
        if !options.is_empty() {
            config.options(options);
        }
        if self.reads_only {
            config.application_name("grateful reads");
        }
        let connected = config.connect_raw(stream, tls).await;
        let (client, connection) = connected.map_err(|error| explain(&error))?;
        let link = Link::new(&wire, |wire| async move {
            // The statements in flight fail as well.
            if let Err(error) = connection.await {
                wire.was_closed();
                tracing::debug!(%error, "A connection to the database was lost");
            }
        });
        Ok(Opened { client, link })
    }
}

/// Runs a statement without preparing it, and returns its first row.
pub(super) async fn first_row(
    client: &Client,
    sql: &str,
) -> Result<Option<SimpleQueryRow>, tokio_postgres::Error> {
    let messages = client.simple_query(sql).await?;
    Ok(messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }))
}

/// An error of the driver with its cause.
fn explain(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(refusal), _) => refusal.to_string(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// No host can be used.
#[derive(Debug, Error)]
struct NoHost {
    /// What is wrong with each host.
    failures: Vec<String>,
    /// The number of hosts that have not answered.
    silent: usize,
    after: Duration,
}

impl fmt::Display for NoHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}", self.failures.join("; "))?;
        let separator = if self.failures.is_empty() { "" } else { "; " };
        match self.silent {
            0 => Ok(()),
            1 => write!(f, "{separator}a host that has not answered within {:?}", self.after),
            hosts => {
                write!(f, "{separator}{hosts} hosts that have not answered within {:?}", self.after)
            }
        }
    }
}
