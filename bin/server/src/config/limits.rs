//! Settings for rate limits.

use std::net::IpAddr;

use chrono::TimeDelta;
use clap::Args;
use grateful_domain::Rate;
use grateful_web::RateLimitsConfig;
use ipnet::IpNet;

use super::{SettingErrors, parse_switch};

/// The settings as they were given.
#[derive(Debug, Args)]
pub(crate) struct LimitsArgs {
    /// Whether to limit request rates: `on` or `off`. Requests are counted in the memory of this process. Reads are never
    /// limited.
    #[arg(
        long,
        env = "GRATEFUL_RATE_LIMITS",
        default_value = "on",
        global = true,
        value_name = "on|off"
    )]
    rate_limits: String,

    /// Trusted reverse proxies, as addresses or networks separated by commas. `auto` means loopback (127.0.0.0/8 and `::1`)
    /// while the server listens on loopback alone, otherwise none. The last address in their `X-Forwarded-For` header is the
    /// client's. If it cannot be read, the address of the proxy counts. Without that header, requests from a trusted proxy
    /// are not limited by address.
    #[arg(
        long,
        env = "GRATEFUL_TRUSTED_PROXIES",
        default_value = "auto",
        global = true,
        value_name = "NETWORKS"
    )]
    trusted_proxies: String,

    /// Signups per client address.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_SIGNUPS",
        default_value = "10/h",
        global = true,
        value_name = "RATE"
    )]
    limit_signups: String,

    /// Logins per client address.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_LOGINS",
        default_value = "10/min",
        global = true,
        value_name = "RATE"
    )]
    limit_logins: String,

    /// Failed logins per account, after which even the correct password is rejected.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_FAILED_LOGINS",
        default_value = "10/15min",
        global = true,
        value_name = "RATE"
    )]
    limit_failed_logins: String,

    /// Searches for users and locations per user.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_SEARCHES",
        default_value = "60/min",
        global = true,
        value_name = "RATE"
    )]
    limit_searches: String,

    /// Username validation requests per user.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_VALIDATIONS",
        default_value = "600/min",
        global = true,
        value_name = "RATE"
    )]
    limit_validations: String,

    /// Write requests per user.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_WRITES",
        default_value = "120/min",
        global = true,
        value_name = "RATE"
    )]
    limit_writes: String,

    /// Image uploads per user.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_UPLOADS",
        default_value = "20/h",
        global = true,
        value_name = "RATE"
    )]
    limit_uploads: String,
}

/// The validated rate limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) requests: RateLimitsConfig,
    pub(crate) failed_logins: Rate,
}

impl LimitsArgs {
    /// The outer `None` means invalid settings, the inner one that rate limiting is off. The rates are validated in either
    /// case.
    #[expect(clippy::option_option, reason = "invalid settings are not the same as no limits")]
    pub(super) fn validate(&self, errors: &mut SettingErrors) -> Option<Option<Limits>> {
        let is_on = errors.collect("GRATEFUL_RATE_LIMITS", parse_switch(&self.rate_limits));
        let trusted_proxies =
            errors.collect("GRATEFUL_TRUSTED_PROXIES", parse_proxies(&self.trusted_proxies));
        let mut rate = |variable, text: &str| errors.collect(variable, parse_rate(text));
        let signups = rate("GRATEFUL_LIMIT_SIGNUPS", &self.limit_signups);
        let logins = rate("GRATEFUL_LIMIT_LOGINS", &self.limit_logins);
        let failed_logins = rate("GRATEFUL_LIMIT_FAILED_LOGINS", &self.limit_failed_logins);
        let searches = rate("GRATEFUL_LIMIT_SEARCHES", &self.limit_searches);
        let validations = rate("GRATEFUL_LIMIT_VALIDATIONS", &self.limit_validations);
        let writes = rate("GRATEFUL_LIMIT_WRITES", &self.limit_writes);
        let uploads = rate("GRATEFUL_LIMIT_UPLOADS", &self.limit_uploads);
        let requests = RateLimitsConfig {
            signups: signups?,
            logins: logins?,
            searches: searches?,
            validations: validations?,
            writes: writes?,
            uploads: uploads?,
            trusted_proxies: trusted_proxies?,
        };
        let limits = Limits { requests, failed_logins: failed_logins? };
        Some(is_on?.then_some(limits))
    }
}

/// Parses a rate such as `10/h` or `10/15min`: a number of requests per period.
fn parse_rate(text: &str) -> Result<Rate, String> {
    let parsed = text.trim().split_once('/').and_then(|(limit, period)| {
        let limit = limit.trim().parse().ok().filter(|limit| (1..=1_000_000).contains(limit))?;
        Some(Rate::new(limit, parse_period(period.trim())?))
    });
    parsed.ok_or_else(|| {
        format!("must be a number from 1 to 1000000 and a period of up to 24h, such as 10/15min, not {text:?}")
    })
}

fn parse_period(text: &str) -> Option<TimeDelta> {
    let unit_start = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_start);
    let count: i64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let unit_seconds = match unit.trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let seconds =
        count.checked_mul(unit_seconds).filter(|seconds| (1..=86_400).contains(seconds))?;
    Some(TimeDelta::seconds(seconds))
}

/// `None` for `auto`. An empty value trusts no proxy.
fn parse_proxies(text: &str) -> Result<Option<Vec<IpNet>>, String> {
    if text.trim().eq_ignore_ascii_case("auto") { Ok(None) } else { parse_networks(text).map(Some) }
}

fn parse_networks(text: &str) -> Result<Vec<IpNet>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let address = || part.parse::<IpAddr>().ok().map(IpNet::from);
            let network = part.parse().ok().or_else(address);
            network.ok_or_else(|| {
                format!("must be auto, or addresses or networks such as 10.0.0.0/8, not {text:?}")
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_period() {
        let every = |limit, seconds| Ok(Rate::new(limit, TimeDelta::seconds(seconds)));

        assert_eq!(parse_rate("10/h"), every(10, 3_600));
        assert_eq!(parse_rate(" 10 / 15 min "), every(10, 900));
        assert_eq!(parse_rate("1000000/24h"), every(1_000_000, 86_400));
        for invalid in [
            "",
            "10",
            "/h",
            "0/h",
            "-1/h",
            "10/",
            "10/0s",
            "10/25h",
            "10/day",
            "1.5/s",
            "9/99999999999999999999h",
        ] {
            assert!(parse_rate(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let networks = parse_proxies("10.0.0.0/8, ::1,, 192.0.2.1").unwrap().unwrap();

        assert_eq!(
            networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]
        );
        assert_eq!(parse_proxies(""), Ok(Some(vec![])));
        assert_eq!(parse_proxies(" Auto "), Ok(None));
        assert!(parse_proxies("10.0.0.0/33").is_err());
        assert!(parse_proxies("auto,10.0.0.0/8").is_err());
        assert!(parse_proxies("proxy.example").is_err());
    }
}
