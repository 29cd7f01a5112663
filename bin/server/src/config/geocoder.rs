//! Settings for the geocoder.

use actix_web::http::header::HeaderValue;
use clap::Args;
use grateful_nominatim::NominatimConfig;
use url::Url;

use super::SettingErrors;

/// The settings as they were given.
#[derive(Debug, Args)]
pub(crate) struct GeocoderArgs {
    /// URL of the Nominatim server that finds locations.
    #[arg(
        long,
        env = "GRATEFUL_NOMINATIM_URL",
        default_value = "https://nominatim.openstreetmap.org",
        global = true,
        value_name = "URL"
    )]
    nominatim_url: String,

    /// User agent for requests to Nominatim: the program and a way to contact its operator. If empty, the program's name
    /// and version and the URL of the front end.
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
    pub(super) fn validate(
        &self,
        frontend_url: &str,
        errors: &mut SettingErrors,
    ) -> Option<NominatimConfig> {
        let url = errors.collect("GRATEFUL_NOMINATIM_URL", parse_url(&self.nominatim_url));
        let user_agent = errors.collect(
            "GRATEFUL_NOMINATIM_USER_AGENT",
            parse_user_agent(&self.nominatim_user_agent),
        )?;
        let user_agent = user_agent
            .unwrap_or_else(|| format!("grateful/{} (+{frontend_url})", env!("CARGO_PKG_VERSION")));
        Some(NominatimConfig::new(url?, user_agent))
    }
}

fn parse_url(text: &str) -> Result<Url, String> {
    let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = text.trim().parse().ok().filter(is_http);
    url.ok_or_else(|| format!("must be an http or https URL, not {text:?}"))
}

fn parse_user_agent(text: &str) -> Result<Option<String>, String> {
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

    fn validate(url: &str, user_agent: &str) -> Option<NominatimConfig> {
        let args = GeocoderArgs {
            nominatim_url: url.to_owned(),
            nominatim_user_agent: user_agent.to_owned(),
        };
        args.validate("https://grateful.example", &mut SettingErrors(Vec::new()))
    }

    #[test]
    fn the_default_user_agent_contains_the_front_end_url() {
        let user_agent_for =
            |setting| validate("http://maps.example/", setting).unwrap().user_agent;

        let default =
            concat!("grateful/", env!("CARGO_PKG_VERSION"), " (+https://grateful.example)");
        assert_eq!(user_agent_for(" "), default);
        assert_eq!(user_agent_for("ours (ana@example.org)"), "ours (ana@example.org)");
    }

    #[test]
    fn invalid_urls_and_user_agents_are_rejected() {
        for url in ["", "maps.example", "ftp://maps.example", "http://"] {
            assert!(validate(url, "").is_none(), "{url}");
        }
        for user_agent in ["two\nlines", "größer", "nul\0"] {
            assert!(validate("http://maps.example", user_agent).is_none(), "{user_agent}");
        }
    }
}
