//! Parses links as browsers do.

use url::{Host, Url};

use super::Websites;
use crate::EntryListError;
use crate::user::profile::parse_entries;

impl Websites {
    /// Parses the URLs, without blank ones. Only http and https URLs are allowed, since browsers open them.
    ///
    /// # Errors
    /// There are more than [`Websites::MAX_ENTRIES`] URLs that are not blank, or one is too long, or not an http or https
    /// URL with a host, or has a user name or a password: `https://bank.example@evil.example` leads to `evil.example`.
    pub fn parse(raw: &[String]) -> Result<Self, EntryListError> {
        let urls = parse_entries(raw, Self::MAX_ENTRIES, Self::MAX_CHARS)?;
        for (number, url) in (1..).zip(&urls) {
            check_web_url(number, url)?;
        }
        Ok(Self(urls))
    }
}

fn check_web_url(number: usize, text: &str) -> Result<(), EntryListError> {
    let invalid = || EntryListError::Url { number };
    let url = Url::parse(text).map_err(|_| invalid())?;
    let has_host = url.host().is_some_and(|host| is_real_host(&host));
    if !has_host || !matches!(url.scheme(), "http" | "https") {
        return Err(invalid());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EntryListError::UserInfo { number });
    }
    Ok(())
}

/// Whether every label of a host name has a letter or a digit. The parser has converted labels in other scripts to ASCII
/// (IDNA). The name may end with a dot.
fn is_real_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let mut labels = name.strip_suffix('.').unwrap_or(name).split('.');
            labels.all(|label| label.contains(|c: char| c.is_ascii_alphanumeric()))
        }
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn strings(raw: &[&str]) -> Vec<String> {
        raw.iter().map(ToString::to_string).collect()
    }

    #[rstest]
    #[case("https://example.org/a?b#c")]
    #[case("http://localhost:3000")]
    #[case("HTTPS://EXAMPLE.ORG")]
    #[case("https://example.org./")]
    #[case("https://bücher.example/ü")]
    #[case("https://例え.テスト")]
    #[case("https://a-b.c_d.example")]
    #[case("https://192.0.2.1:8080/~ana@home")]
    #[case("https://[2001:db8::1]/")]
    #[case("https://example.org/?to=ana@example.org")]
    fn http_and_https_urls_are_allowed(#[case] url: &str) {
        assert!(Websites::parse(&strings(&[url])).is_ok());
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("JaVaScRiPt://example.org/%0aalert(1)")]
    #[case("data:text/html,hi")]
    #[case("ftp://example.org")]
    #[case("example.org")]
    #[case("https://")]
    #[case("https://exa mple.org")]
    #[case("https://-/")]
    #[case("https://_")]
    #[case("https://.")]
    #[case("https://..")]
    #[case("https://example..org")]
    #[case("https://.example.org")]
    #[case("https://example.org..")]
    #[case("https://example.-.org")]
    #[case("https://--.example")]
    #[case("https://ana@/x")]
    fn invalid_urls_are_rejected(#[case] url: &str) {
        let rejected = Websites::parse(&strings(&["https://example.org", url]));
        assert_eq!(rejected, Err(EntryListError::Url { number: 2 }));
    }

    #[rstest]
    #[case("https://ana@example.org")]
    #[case("https://ana:sesame@example.org")]
    #[case("https://:sesame@example.org")]
    #[case("https://bank.example@evil.example/")]
    #[case("https://bank.example%2f@evil.example/")]
    #[case("https:\\\\ana@example.org")]
    #[case("http:ana@example.org")]
    fn urls_with_a_user_name_or_a_password_are_rejected(#[case] url: &str) {
        let rejected = Websites::parse(&strings(&["https://example.org", url]));
        assert_eq!(rejected, Err(EntryListError::UserInfo { number: 2 }));
    }
}
