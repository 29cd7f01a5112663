//! The address of a database: its hosts, the wanted role of the server, and TLS.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::role::Role;

/// Why a URL is not the address of a database. Contains no part of the URL but names of parameters, since a URL may contain a
/// password.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub struct InvalidUrl(String);

/// Where a database is, and how to connect to it.
pub(in crate::connection) struct Address {
    pub(super) targets: Vec<Target>,
    /// The user, the password, the database and the parameters of the session.
    pub(super) config: Config,
    pub(super) role: Role,
    pub(super) tls: TlsOptions,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) port: u16,
}

/// How to reach a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A host with a name. The address is looked up, unless it is given.
    Tcp { name: String, ip: Option<IpAddr> },
    /// The directory of a Unix socket.
    Unix(PathBuf),
}

/// The parameters of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsOptions {
    pub(super) mode: TlsMode,
    pub(super) root: Option<Root>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

/// What TLS must protect from: `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum TlsMode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The authorities that may sign the certificate of the server: `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// Those of the operating system.
    System,
    /// Those in a PEM file.
    File(PathBuf),
}

/// Checks the address of a database, without connecting to it.
///
/// # Errors
/// The URL cannot be parsed, or has parameters that contradict each other or that this build does not support.
pub fn check_url(url: &str) -> Result<(), InvalidUrl> {
    Address::parse(url).map(drop)
}

/// The host and port of the one server at this URL.
///
/// # Errors
/// As [`check_url`], or the URL has several hosts.
pub(in crate::connection) fn server_name(url: &str) -> Result<String, InvalidUrl> {
    match &*Address::parse(url)?.targets {
        [target] => Ok(target.to_string()),
        _ => Err(InvalidUrl("the URL of a replica must have one host".to_owned())),
    }
}

impl Address {
    pub(in crate::connection) fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let (url, parameters) = OwnParameters::take(url)?;
        let config = Config::from_str(&url).map_err(|error| InvalidUrl(super::explain(&error)))?;
        let targets = targets(&config)?;
        let role = match &parameters.role {
            Some(name) => Role::parse(name).ok_or_else(unknown_role)?,
            None => Role::by_default(config.get_target_session_attrs(), targets.len()),
        };
        let tls = tls_options(&parameters, config.get_ssl_mode())?;
        Ok(Self { targets, config, role, tls })
    }
}

/// The parameters that the driver does not know, or knows only in part.
#[derive(Debug, Default)]
struct OwnParameters {
    role: Option<String>,
    mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl OwnParameters {
    /// Separates them from the rest of a URL. Other forms of an address have none.
    fn take(url: &str) -> Result<(String, Self), InvalidUrl> {
        // A password may contain a question mark.
        let credentials = url.find('@').unwrap_or(0);
        let query = url[credentials..].find('?').map(|start| credentials + start);
        let (Some(query), true) = (query, url.contains("://")) else {
            return Ok((url.to_owned(), Self::default()));
        };
        let mut own = Self::default();
        let mut others = Vec::new();
        for pair in url[query + 1..].split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match own.field(name) {
                Some(field) => *field = Some(percent_decoded(name, value)?),
                None => others.push(pair),
            }
        }
        Ok((format!("{}?{}", &url[..query], others.join("&")), own))
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "target_session_attrs" => &mut self.role,
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            "sslcert" => &mut self.certificate,
            "sslkey" => &mut self.key,
            _ => return None,
        })
    }
}

fn percent_decoded(name: &str, text: &str) -> Result<String, InvalidUrl> {
    let invalid = || InvalidUrl(format!("{name} has an invalid percent-encoding"));
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.ok_or_else(invalid)?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

/// The hosts, each with its port and its address.
fn targets(config: &Config) -> Result<Vec<Target>, InvalidUrl> {
    let (hosts, ips, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(ips.len());
    let fits = |given: usize, most: usize| given <= most || given == count;
    if count == 0 || !fits(hosts.len(), 0) || !fits(ips.len(), 0) || !fits(ports.len(), 1) {
        return Err(InvalidUrl("hosts, addresses and ports must be equally many".to_owned()));
    }
    let target = |index: usize| {
        let ip = ips.get(index).copied();
        let endpoint = match hosts.get(index) {
            Some(Host::Tcp(name)) => Endpoint::Tcp { name: name.clone(), ip },
            #[cfg(unix)]
            Some(Host::Unix(directory)) => Endpoint::Unix(directory.clone()),
            None => Endpoint::Tcp { name: ip.map(|ip| ip.to_string()).unwrap_or_default(), ip },
        };
        let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
        Target { endpoint, port }
    };
    Ok((0..count).map(target).collect())
}

fn unknown_role() -> InvalidUrl {
    let names = "any, read-write, read-only, primary or standby";
    InvalidUrl(format!("target_session_attrs must be {names}"))
}

fn tls_options(
    parameters: &OwnParameters,
    default_mode: SslMode,
) -> Result<TlsOptions, InvalidUrl> {
    let path = |path: &Option<String>| path.as_deref().map(PathBuf::from);
    let root = parameters.root.as_deref().map(|root| match root {
        "system" => Root::System,
        path => Root::File(path.into()),
    });
    let mut mode = match (parameters.mode.as_deref(), default_mode) {
        (Some("disable"), _) | (None, SslMode::Disable) => TlsMode::Disable,
        (Some("prefer"), _) | (None, SslMode::Prefer) => TlsMode::Prefer,
        (Some("require") | None, _) => TlsMode::Require,
        (Some("verify-ca"), _) => TlsMode::VerifyCa,
        (Some("verify-full"), _) => TlsMode::VerifyFull,
        (Some(_), _) => {
            let modes = "disable, prefer, require, verify-ca or verify-full";
            return Err(InvalidUrl(format!("sslmode must be {modes}")));
        }
    };
    // As libpq does: authorities are given to be checked.
    if mode == TlsMode::Require && root.is_some() {
        mode = TlsMode::VerifyCa;
    }
    let refuse = |reason: &str| Err(InvalidUrl(reason.to_owned()));
    if TlsMode::VerifyCa <= mode && root.is_none() {
        return refuse("sslmode=verify-ca and verify-full need sslrootcert: a PEM file, or system");
    }
    if root == Some(Root::System) && mode != TlsMode::VerifyFull {
        return refuse("sslrootcert=system needs sslmode=verify-full");
    }
    if parameters.certificate.is_some() != parameters.key.is_some() {
        return refuse("sslcert and sslkey need each other");
    }
    if cfg!(not(feature = "tls")) && TlsMode::Require <= mode {
        return refuse("this build has no TLS, so sslmode can be only disable or prefer");
    }
    Ok(TlsOptions {
        mode,
        root,
        certificate: path(&parameters.certificate),
        key: path(&parameters.key),
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Tcp { name, .. } if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Endpoint::Tcp { name, .. } => write!(f, "{name}:{}", self.port),
            Endpoint::Unix(directory) => write!(f, "{}", directory.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Address {
        Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn shown(address: &Address) -> Vec<String> {
        address.targets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_host_has_its_own_port() {
        let address = parse("postgresql://ana:p%3Fw@a:1,b,[::1]:3/db?application_name=x");

        assert_eq!(shown(&address), ["a:1", "b:5432", "[::1]:3"]);
        assert_eq!(address.config.get_dbname(), Some("db"));
        assert_eq!(address.config.get_application_name(), Some("x"));
    }

    #[test]
    fn among_several_hosts_the_default_is_the_one_that_accepts_writes() {
        assert_eq!(parse("postgresql://ana@a/db").role, Role::Any);
        assert_eq!(parse("postgresql://ana@a,b/db").role, Role::ReadWrite);
        assert_eq!(parse("postgresql://ana@a,b/db?target_session_attrs=any").role, Role::Any);
        assert_eq!(parse("postgresql://a/db?target_session_attrs=primary").role, Role::Primary);
        assert_eq!(parse("host=a target_session_attrs=read-only").role, Role::ReadOnly);
    }

    #[test]
    fn a_replica_is_one_server_and_its_name_has_no_password() {
        assert_eq!(server_name("postgresql://ana:secret@a:1/db").unwrap(), "a:1");
        assert_eq!(server_name("postgresql://%2Ftmp%2Fone/db").unwrap(), "/tmp/one");
        assert!(server_name("postgresql://a,b/db").is_err());
    }

    #[test]
    fn sockets_are_directories() {
        let address = parse("postgresql://ana@%2Ftmp%2Fone,%2Ftmp%2Ftwo/db");

        assert_eq!(shown(&address), ["/tmp/one", "/tmp/two"]);
    }

    #[test]
    fn a_question_mark_in_the_password_begins_no_parameters() {
        let address = parse("postgresql://ana:what?sslmode=x@a/db?sslmode=disable");

        assert_eq!(address.config.get_password(), Some(&b"what?sslmode=x"[..]));
        assert_eq!(address.tls.mode, TlsMode::Disable);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_is_preferred_and_verified_on_demand() {
        let mode = |query: &str| parse(&format!("postgresql://a/db?{query}")).tls.mode;

        assert_eq!(mode(""), TlsMode::Prefer);
        assert_eq!(mode("sslmode=require"), TlsMode::Require);
        assert_eq!(mode("sslmode=require&sslrootcert=ca.pem"), TlsMode::VerifyCa);
        assert_eq!(mode("sslmode=verify-full&sslrootcert=system"), TlsMode::VerifyFull);
        let address = parse("postgresql://a/db?sslrootcert=%2Fetc%2Fca%20.pem");
        assert_eq!(address.tls.root, Some(Root::File("/etc/ca .pem".into())));
    }

    #[test]
    fn an_invalid_url_is_refused_without_its_password() {
        for parameters in [
            "sslmode=maybe",
            "sslmode=verify-full",
            "sslmode=verify-ca&sslrootcert=system",
            "sslcert=one.pem",
            "sslrootcert=%zz",
            "sslrootcert=%f",
            "target_session_attrs=prefer-standby",
            "unknown=1",
        ] {
            let url = format!("postgresql://ana:secret@a/db?{parameters}");
            let error = check_url(&url).unwrap_err().to_string();
            assert!(error.contains(parameters.split('=').next().unwrap()), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(check_url("postgresql://ana@a:1,b:2,c:3/db?port=1,2").is_err());
    }
}
