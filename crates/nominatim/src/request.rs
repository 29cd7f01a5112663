//! The HTTP request to Nominatim.

use grateful_domain::LocationQuery;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use crate::Nominatim;
use crate::error::NominatimError;

/// Maximum size of a response in bytes. Ten locations take about ten thousand.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

impl Nominatim {
    /// Sends one request and returns the response body.
    pub(crate) async fn send_request(
        &self,
        query: &LocationQuery,
        limit: u8,
    ) -> Result<Vec<u8>, NominatimError> {
        let request = self.client()?.get(self.search_url(query, limit));
        let mut response = request.send().await.map_err(NominatimError::from_request)?;
        if response.status() != StatusCode::OK {
            return Err(NominatimError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(NominatimError::from_request)? {
            if MAX_RESPONSE_BYTES < body.len() + chunk.len() {
                return Err(NominatimError::ResponseTooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn search_url(&self, query: &LocationQuery, limit: u8) -> Url {
        let mut url = self.config.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("search");
        }
        url.query_pairs_mut()
            .append_pair("q", query.as_str())
            .append_pair("format", "json")
            .append_pair("addressdetails", "1")
            .append_pair("limit", &limit.to_string());
        url
    }

    fn client(&self) -> Result<&Client, NominatimError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.build_client().map_err(NominatimError::from_request)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn build_client(&self) -> Result<Client, reqwest::Error> {
        // The client uses the cryptography provider of the process. If one is installed already, it stays.
        _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(&self.config.user_agent)
            .redirect(Policy::none())
            .no_proxy();
        // Plain HTTP needs no certificates, so it also works on machines that have none.
        if self.config.base_url.scheme() == "http" {
            builder.tls_certs_only([]).build()
        } else {
            builder.build()
        }
    }
}
