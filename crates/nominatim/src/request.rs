//! What goes over the wire.

use grateful_domain::LocationQuery;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use crate::Nominatim;
use crate::failure::Failure;

/// The most bytes of an answer: ten places have some ten thousand.
const MAX_BYTES: usize = 256 * 1024;

impl Nominatim {
    /// Asks once. The bytes of the answer.
    pub(crate) async fn request(
        &self,
        query: &LocationQuery,
        limit: u8,
    ) -> Result<Vec<u8>, Failure> {
        let request = self.client()?.get(self.address(query, limit));
        let mut answer = request.send().await.map_err(Failure::of_request)?;
        if answer.status() != StatusCode::OK {
            return Err(Failure::Status(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(Failure::of_request)? {
            if MAX_BYTES < body.len() + chunk.len() {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn address(&self, query: &LocationQuery, limit: u8) -> Url {
        let mut address = self.config.base_url.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().push("search");
        }
        address
            .query_pairs_mut()
            .append_pair("q", query.as_str())
            .append_pair("format", "json")
            .append_pair("addressdetails", "1")
            .append_pair("limit", &limit.to_string());
        address
    }

    fn client(&self) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.make_client().map_err(Failure::of_request)?;
        Ok(self.client.get_or_init(|| client))
    }

    fn make_client(&self) -> Result<Client, reqwest::Error> {
        // The client asks the process which cryptography to use. Whoever chose before has chosen.
        _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(&self.config.user_agent)
            .redirect(Policy::none())
            .no_proxy();
        // Where nothing is encrypted, a machine without certificates is as good as any.
        if self.config.base_url.scheme() == "http" {
            client.tls_certs_only([]).build()
        } else {
            client.build()
        }
    }
}
