//! How much anybody may ask.

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
    /// Whether requests are counted and bounded, in the memory of this process: `on` or `off`. Reading never is.
    #[arg(
        long,
        env = "GRATEFUL_RATE_LIMITS",
        default_value = "on",
        global = true,
        value_name = "on|off"
    )]
    rate_limits: String,

    /// Proxies in front, as addresses or networks separated by commas. They are believed when they name by
    /// `X-Forwarded-For` for whom they ask, and where they name nobody they are not bounded.
    #[arg(
        long,
        env = "GRATEFUL_TRUSTED_PROXIES",
        default_value = "127.0.0.0/8,::1",
        global = true,
        value_name = "NETWORKS"
    )]
    trusted_proxies: String,

    /// How many accounts may be made from one address.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_SIGNUPS",
        default_value = "10/h",
        global = true,
        value_name = "RATE"
    )]
    limit_signups: String,

    /// How often people may sign in from one address.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_LOGINS",
        default_value = "10/min",
        global = true,
        value_name = "RATE"
    )]
    limit_logins: String,

    /// How often the password of one account may be wrong before even the right one is refused.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_FAILED_LOGINS",
        default_value = "10/15min",
        global = true,
        value_name = "RATE"
    )]
    limit_failed_logins: String,

    /// How often one person may search for people and places.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_SEARCHES",
        default_value = "60/min",
        global = true,
        value_name = "RATE"
    )]
    limit_searches: String,

    /// How often one person may ask which of many names are taken.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_VALIDATIONS",
        default_value = "600/min",
        global = true,
        value_name = "RATE"
    )]
    limit_validations: String,

    /// How often one person may change anything.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_WRITES",
        default_value = "120/min",
        global = true,
        value_name = "RATE"
    )]
    limit_writes: String,

    /// How many pictures one person may send.
    #[arg(
        long,
        env = "GRATEFUL_LIMIT_UPLOADS",
        default_value = "20/h",
        global = true,
        value_name = "RATE"
    )]
    limit_uploads: String,
}

/// The bounds that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) requests: RateLimitsConfig,
    pub(crate) failed_logins: Rate,
}

impl LimitsArgs {
    /// The bounds, or none where nobody counts. All of them must be good in any case.
    #[expect(clippy::option_option, reason = "nothing good was given, or to count nothing")]
    pub(super) fn check(&self, errors: &mut SettingErrors) -> Option<Option<Limits>> {
        let is_on = errors.collect("GRATEFUL_RATE_LIMITS", parse_switch(&self.rate_limits));
        let proxies =
            errors.collect("GRATEFUL_TRUSTED_PROXIES", parse_networks(&self.trusted_proxies));
        let mut rate = |variable, text: &str| errors.collect(variable, rate(text));
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
            trusted_proxies: proxies?,
        };
        let limits = Limits { requests, failed_logins: failed_logins? };
        Some(is_on?.then_some(limits))
    }
}

/// `10/h`, `10/15min`: so many in so long a time.
fn rate(text: &str) -> Result<Rate, String> {
    let parsed = text.trim().split_once('/').and_then(|(times, period)| {
        let times = times.trim().parse().ok().filter(|times| (1..=1_000_000).contains(times))?;
        Some(Rate::new(times, duration(period.trim())?))
    });
    parsed.ok_or_else(|| {
        format!("must be a number from 1 to 1000000 and a time of up to 24h, such as 10/15min, not {text:?}")
    })
}

fn duration(text: &str) -> Option<TimeDelta> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: i64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let seconds = match unit.trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let seconds = number.checked_mul(seconds).filter(|seconds| (1..=86_400).contains(seconds))?;
    Some(TimeDelta::seconds(seconds))
}

fn parse_networks(text: &str) -> Result<Vec<IpNet>, String> {
    let all = text.split(',').map(str::trim).filter(|network| !network.is_empty());
    all.map(|network| {
        let address = || network.parse::<IpAddr>().ok().map(IpNet::from);
        let network = network.parse().ok().or_else(address);
        network.ok_or_else(|| {
            format!("must be addresses or networks such as 10.0.0.0/8, not {text:?}")
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        let every = |times, seconds| Ok(Rate::new(times, TimeDelta::seconds(seconds)));

        assert_eq!(rate("10/h"), every(10, 3_600));
        assert_eq!(rate(" 10 / 15 min "), every(10, 900));
        assert_eq!(rate("1000000/24h"), every(1_000_000, 86_400));
        for wrong in [
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
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let some = parse_networks("10.0.0.0/8, ::1,, 192.0.2.1").unwrap();

        assert_eq!(
            some.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]
        );
        assert_eq!(parse_networks(""), Ok(vec![]));
        assert!(parse_networks("10.0.0.0/33").is_err());
        assert!(parse_networks("proxy.example").is_err());
    }
}
