//! Parsers of the settings. Their errors continue the name of the variable.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::Uri;
use actix_web::http::header::HeaderValue;
use chrono::TimeDelta;
use clap::builder::TypedValueParser;
use grateful_domain::Rate;
use grateful_storage::{Replicas, check_url};
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        let parsed = parts.and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            Some(Self { host, port: port.parse().ok()? })
        });
        parsed.ok_or_else(|| {
            format!("must be a host and a port such as localhost:8000, not {text:?}")
        })
    }
}

/// The URL of the front end, without slashes at its end, and the origin of its pages.
#[derive(Debug, Clone)]
pub(crate) struct FrontendUrl {
    pub(crate) url: String,
    pub(crate) origin: String,
}

impl FromStr for FrontendUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { url: text.trim_end_matches('/').to_owned(), origin: origin(text)? })
    }
}

/// Parses whole numbers in a range.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        let (min, max) = (range.start(), range.end());
        number.ok_or_else(|| format!("must be a whole number from {min} to {max}, not {text:?}"))
    }
}

/// Accepts the usual spellings of environment variables. An empty value counts as not set.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(format!("must be true or false, not {text:?}")),
    }
}

/// An empty value counts as not set. Does not repeat the value in the error: it may contain a password.
pub(super) fn database_url(text: &str) -> Result<Option<String>, String> {
    match text.split_once("://") {
        _ if text.is_empty() => Ok(None),
        Some(("postgresql" | "postgres", _)) => {
            check_url(text).map_err(|invalid| format!("is invalid: {invalid}"))?;
            Ok(Some(text.to_owned()))
        }
        _ => Err("must start with postgresql://".to_owned()),
    }
}

/// Does not repeat a value in the error: it may contain a password.
pub(super) fn replica_urls(text: &str) -> Result<Vec<String>, String> {
    let urls: Vec<String> =
        parts(text).flat_map(str::split_whitespace).map(str::to_owned).collect();
    if !urls.iter().all(|url| url.starts_with("postgresql://") || url.starts_with("postgres://")) {
        return Err("must be URLs that start with postgresql://".to_owned());
    }
    Replicas::new(urls.iter().cloned(), Duration::ZERO)
        .map_err(|invalid| format!("is invalid: {invalid}"))?;
    Ok(urls)
}

/// An empty value counts as not set.
pub(super) fn bucket_url(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "s3" && url.has_host());
    url.map(Some).ok_or_else(|| format!("must start with s3://, not {text:?}"))
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = text.trim().parse().ok().filter(is_http);
    url.ok_or_else(|| format!("must be an http or https URL, not {text:?}"))
}

/// The origin of a web page's URL, as browsers send it.
fn origin(text: &str) -> Result<String, String> {
    let is_http = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let uri = text.parse::<Uri>().ok().filter(is_http);
    let origin = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    origin.ok_or_else(|| format!("must be an http or https URL, not {text:?}"))
}

pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    parts(text).map(origin).collect()
}

/// The parts between commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// `None` for `auto`. An empty value trusts no proxy.
pub(super) fn proxies(text: &str) -> Result<Option<Vec<IpNet>>, String> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    let network =
        |part: &str| part.parse().ok().or_else(|| Some(part.parse::<IpAddr>().ok()?.into()));
    let networks: Option<Vec<IpNet>> = parts(text).map(network).collect();
    networks.map(Some).ok_or_else(|| {
        format!("must be auto, or addresses or networks such as 10.0.0.0/8, not {text:?}")
    })
}

pub(super) fn user_agent(text: &str) -> Result<String, String> {
    let text = text.trim();
    if HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok()) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be printable ASCII on one line, not {text:?}"))
    }
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Parses a rate such as `10/h` or `10/15min`: a number of requests per period.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_period() {
        let every = |limit, seconds| Ok(Rate::new(limit, TimeDelta::seconds(seconds)));

        assert_eq!(rate("10/h"), every(10, 3_600));
        assert_eq!(rate(" 10 / 15 min "), every(10, 900));
        assert_eq!(rate("1000000/24h"), every(1_000_000, 86_400));
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
            assert!(rate(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let networks = proxies("10.0.0.0/8, ::1,, 192.0.2.1").unwrap().unwrap();

        assert_eq!(
            networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]
        );
        assert_eq!(proxies(""), Ok(Some(vec![])));
        assert_eq!(proxies(" Auto "), Ok(None));
        assert!(proxies("10.0.0.0/33").is_err());
        assert!(proxies("auto,10.0.0.0/8").is_err());
        assert!(proxies("proxy.example").is_err());
    }

    #[test]
    fn replicas_are_urls_with_one_host_each_and_are_not_repeated_in_errors() {
        let urls = replica_urls("postgresql://a/db, postgresql://b/db postgresql://c/db").unwrap();

        assert_eq!(urls, ["postgresql://a/db", "postgresql://b/db", "postgresql://c/db"]);
        assert_eq!(replica_urls(" "), Ok(vec![]));
        for invalid in
            ["b:5432", "postgresql://u:secret@a/db?port=x", "postgresql://u:secret@a:1,b:2/db"]
        {
            assert!(!replica_urls(invalid).unwrap_err().contains("secret"), "{invalid}");
        }
    }

    #[test]
    fn listen_addresses_may_be_ipv4_or_ipv6() {
        let listen = |text: &str| text.parse::<ListenAddress>().unwrap();
        assert_eq!(listen("[::1]:0"), ListenAddress { host: "::1".to_owned(), port: 0 });
        assert_eq!(listen("0.0.0.0:80"), ListenAddress { host: "0.0.0.0".to_owned(), port: 80 });
        assert!("localhost:99999".parse::<ListenAddress>().is_err());
    }

    #[test]
    fn only_http_urls_lead_to_a_server_and_only_ascii_names_a_user_agent() {
        for url in ["", "maps.example", "ftp://maps.example", "http://"] {
            assert!(http_url(url).is_err(), "{url}");
        }
        for text in ["two\nlines", "größer", "nul\0"] {
            assert!(user_agent(text).is_err(), "{text}");
        }
    }
}
