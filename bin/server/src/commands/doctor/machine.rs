//! Checks of the settings and of this machine.

use grateful_application::{Geocoder as _, health};
use grateful_domain::LocationQuery;
use grateful_nominatim::Nominatim;
use indicatif::HumanBytes;
use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::config::{Settings, variables};
use crate::connection_budget::ConnectionBudget;
use crate::file_store::{FileStore, free_space};

/// The free space in bytes from which uploads have room for a while.
const ENOUGH_SPACE: u64 = 1 << 30;

/// The number of open files that is enough for a few thousand clients.
const ENOUGH_FILES: u64 = 4_096;

/// Names of variables that no setting has are probably misspelt.
pub(super) fn check_settings(settings: &Settings) -> Vec<Check> {
    let known = variables();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = names.filter(|name| name.starts_with("GRATEFUL_") && !known.contains(name));
    let mut checks: Vec<Check> = unknown
        .map(|name| {
            let detail = format!("{name} is no setting");
            Check::warn("settings", detail, "grateful --help lists all settings: compare the name")
        })
        .collect();
    if !settings.rate_limits {
        let advice = "switch GRATEFUL_RATE_LIMITS on, unless a proxy limits requests";
        checks.push(Check::warn("settings", "requests are not limited", advice));
    }
    if settings.server_timing {
        let advice = "switch GRATEFUL_SERVER_TIMING off outside of development";
        checks.push(Check::warn("settings", "all clients can read Server-Timing", advice));
    }
    if checks.is_empty() {
        checks.push(Check::ok("settings", "valid"));
    }
    checks
}

pub(super) async fn check_uploads(settings: &Settings) -> Vec<Check> {
    let fail = |error: anyhow::Error| {
        let advice = "create the directory for the user that runs the server, or correct GRATEFUL_UPLOADS_DIR or \
                      GRATEFUL_UPLOADS_BUCKET";
        Check::fail("uploads", format!("{error:#}"), advice)
    };
    let files = match FileStore::open(settings) {
        Ok(files) => files,
        Err(error) => return vec![fail(error)],
    };
    let place = match files.directory() {
        Some(directory) => directory.display().to_string(),
        None => settings.bucket.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    if let Err(error) = health::check_uploads(&*files.store).await {
        return vec![fail(
            anyhow::Error::from(error).context(format!("{place} cannot be written")),
        )];
    }
    let written = Check::ok("uploads", format!("{place} can be written"));
    let space = files.directory().map(free_space).transpose();
    match space {
        Ok(Some(free)) => vec![written, check_space(free)],
        Ok(None) => vec![written],
        Err(error) => vec![written, Check::warn("space", format!("{error:#}"), "check the disk")],
    }
}

fn check_space(free: u64) -> Check {
    let detail = format!("{} free for uploads", HumanBytes(free));
    if ENOUGH_SPACE <= free {
        Check::ok("space", detail)
    } else {
        Check::warn(
            "space",
            detail,
            "make room: a full disk refuses uploads and makes /readyz fail",
        )
    }
}

/// The server raises its soft limit to the hard one.
pub(super) fn check_open_files(settings: &Settings) -> Check {
    let budget = ConnectionBudget {
        workers: settings.workers,
        per_worker: settings.connections_per_worker,
        readers_per_worker: settings.readers_per_worker,
    };
    let needed = budget.total() as u64;
    let advice = "raise the hard limit: LimitNOFILE= of systemd, --ulimit nofile= of docker";
    match getrlimit(Resource::Nofile).maximum {
        None => Check::ok("open files", "no limit"),
        Some(limit) => {
            let detail =
                format!("up to {limit}, of which connections to the database take {needed}");
            if limit < needed.saturating_add(64) {
                Check::fail("open files", detail, advice)
            } else if limit < needed.saturating_add(ENOUGH_FILES) {
                Check::warn("open files", detail, advice)
            } else {
                Check::ok("open files", detail)
            }
        }
    }
}

pub(super) fn check_proxies(settings: &Settings) -> Check {
    let host = settings.listen.host.as_str();
    let is_local =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match &settings.trusted_proxies {
        Some(networks) if networks.iter().any(|network| network.prefix_len() == 0) => Check::fail(
            "proxies",
            "every client is a trusted proxy, so every client can choose the address that its limits count for",
            "put only the addresses of your proxies into GRATEFUL_TRUSTED_PROXIES",
        ),
        Some(networks) if networks.is_empty() => Check::ok("proxies", "none trusted"),
        Some(networks) => {
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            Check::ok("proxies", format!("trusts {}", networks.join(", ")))
        }
        None if is_local => {
            Check::ok("proxies", "trusts programs on this machine, which alone can connect")
        }
        None => Check::warn(
            "proxies",
            format!(
                "listens on {host} and trusts no proxy: all clients of a proxy share one limit"
            ),
            "put the address of the proxy into GRATEFUL_TRUSTED_PROXIES; without a proxy, set it to an empty value",
        ),
    }
}

pub(super) async fn check_nominatim(settings: &Settings) -> Check {
    let url = &settings.nominatim_url;
    let Ok(query) = LocationQuery::parse("Berlin") else {
        return Check::ok("nominatim", url.as_str());
    };
    match Nominatim::new(settings.nominatim()).geocode(&query, 1).await {
        Ok(_) => Check::ok("nominatim", format!("{url} answers")),
        Err(error) => Check::warn(
            "nominatim",
            format!("{url}: {:#}", anyhow::Error::from(error)),
            "allow outgoing requests, or correct GRATEFUL_NOMINATIM_URL: until then, users find no locations",
        ),
    }
}
