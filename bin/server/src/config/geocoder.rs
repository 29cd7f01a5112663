//! Whom to ask where places are.

use actix_web::http::header::HeaderValue;
use clap::Args;
use grateful_nominatim::NominatimConfig;
use url::Url;

use super::SettingErrors;

/// The settings as they were given.
#[derive(Debug, Args)]
pub(crate) struct GeocoderArgs {
    /// The Nominatim server that knows where places are.
    #[arg(
        long,
        env = "GRATEFUL_NOMINATIM_URL",
        default_value = "https://nominatim.openstreetmap.org",
        global = true,
        value_name = "URL"
    )]
    nominatim_url: String,

    /// What to call ourselves there: the program, and how to reach whoever runs it. Empty: by name, version and the
    /// address of the front end.
    #[arg(
        long,
        env = "GRATEFUL_NOMINATIM_USER_AGENT",
        default_value = "",
        global = true,
        value_name = "TEXT"
    )]
    nominatim_user_agent: String,
}

impl GeocoderArgs {
    pub(super) fn check(
        &self,
        frontend: &str,
        errors: &mut SettingErrors,
    ) -> Option<NominatimConfig> {
        let url = errors.collect("GRATEFUL_NOMINATIM_URL", web_address(&self.nominatim_url));
        let named =
            errors.collect("GRATEFUL_NOMINATIM_USER_AGENT", name(&self.nominatim_user_agent))?;
        let named = named
            .unwrap_or_else(|| format!("grateful/{} (+{frontend})", env!("CARGO_PKG_VERSION")));
        Some(NominatimConfig::new(url?, named))
    }
}

fn web_address(text: &str) -> Result<Url, String> {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = text.trim().parse().ok().filter(is_web);
    url.ok_or_else(|| format!("must be an http or https address, not {text:?}"))
}

fn name(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok()) {
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    } else {
        Err(format!("must be printable ASCII on one line, not {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, user_agent: &str) -> Option<NominatimConfig> {
        let raw = GeocoderArgs {
            nominatim_url: url.to_owned(),
            nominatim_user_agent: user_agent.to_owned(),
        };
        raw.check("https://grateful.example", &mut SettingErrors(Vec::new()))
    }

    #[test]
    fn whoever_is_given_no_name_says_where_its_people_are() {
        let named = |user_agent| check("http://maps.example/", user_agent).unwrap().user_agent;

        let ours = concat!("grateful/", env!("CARGO_PKG_VERSION"), " (+https://grateful.example)");
        assert_eq!(named(" "), ours);
        assert_eq!(named("ours (ana@example.org)"), "ours (ana@example.org)");
    }

    #[test]
    fn what_is_no_web_address_and_no_name_is_refused() {
        for url in ["", "maps.example", "ftp://maps.example", "http://"] {
            assert!(check(url, "").is_none(), "{url}");
        }
        for name in ["two\nlines", "größer", "nul\0"] {
            assert!(check("http://maps.example", name).is_none(), "{name}");
        }
    }
}
