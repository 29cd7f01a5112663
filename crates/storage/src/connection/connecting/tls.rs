//! TLS, and what is verified about the certificate of the server.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::{Root, TlsMode, TlsOptions};
use super::monitored_stream::MonitoredStream;
use super::wire::Wire;

/// Prepares TLS with these options. The files are read for each connection, so that renewed certificates are used without a
/// restart.
pub(super) fn connector(options: &TlsOptions) -> Result<TlsConnector, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Verifier::new(options, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => {
            let chain = read_certificates(certificate, "sslcert")?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("sslkey {} cannot be read: {error}", key.display()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("sslcert and sslkey cannot be used: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config).into())
}

fn read_certificates(path: &Path, parameter: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed =
        |error: &dyn Error| format!("{parameter} {} cannot be read: {error}", path.display());
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
    if certificates.is_empty() {
        return Err(format!("{parameter} {} contains no certificate", path.display()));
    }
    Ok(certificates)
}

/// Verifies what the mode of TLS demands.
#[derive(Debug)]
struct Verifier {
    /// Verifies the authorities. `None` accepts all certificates.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let algorithms = provider.signature_verification_algorithms;
        let checks_name = options.mode == TlsMode::VerifyFull;
        if options.mode < TlsMode::VerifyCa {
            return Ok(Self { authorities: None, checks_name, algorithms });
        }
        let mut roots = RootCertStore::empty();
        match &options.root {
            Some(Root::File(path)) => {
                for certificate in read_certificates(path, "sslrootcert")? {
                    roots.add(certificate).map_err(|error| {
                        format!("sslrootcert {} cannot be used: {error}", path.display())
                    })?;
                }
            }
            Some(Root::System) | None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let authorities = verifier
            .build()
            .map_err(|error| format!("the authorities in sslrootcert cannot be used: {error}"))?;
        Ok(Self { authorities: Some(authorities), checks_name, algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified = authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is verified last.
            Err(rustls::Error::InvalidCertificate(error))
                if !self.checks_name && is_about_name(&error) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_about_name(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    )
}

/// Turns a connection into one with TLS, once the server has agreed to it.
pub(super) struct Handshake {
    connector: TlsConnector,
    host: String,
    wire: Arc<Wire>,
    answer_limit: Option<Duration>,
}

impl Handshake {
    pub(super) fn new(
        connector: TlsConnector,
        host: &str,
        wire: &Arc<Wire>,
        answer_limit: Option<Duration>,
    ) -> Self {
        Self { connector, host: host.to_owned(), wire: Arc::clone(wire), answer_limit }
    }
}

impl TlsConnect<MonitoredStream<TcpStream>> for Handshake {
    type Stream = MonitoredStream<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Stream>>;

    fn connect(self, stream: MonitoredStream<TcpStream>) -> Self::Future {
        async move {
            let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
            let connected = self.connector.connect(name, stream.io).await;
            let stream = connected.map_err(|error| describe(error, &self.host))?;
            // The monitor watches messages, so it reads what TLS has decrypted.
            Ok(MonitoredStream::new(stream, &self.wire, self.answer_limit, false))
        }
        .boxed()
    }
}

/// Says what is wrong with a certificate in a sentence, instead of the name of a variant.
fn describe(error: io::Error, host: &str) -> io::Error {
    use rustls::Error::{AlertReceived, InvalidCertificate};

    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let sentence = match cause {
        Some(InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "no authority in sslrootcert has signed the certificate of the server".to_owned()
        }
        Some(InvalidCertificate(reason)) if is_about_name(reason) => {
            format!("the certificate of the server is not valid for the name {host}")
        }
        Some(InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "the certificate of the server has expired".to_owned(),
        Some(AlertReceived(alert)) => {
            format!("the server has refused the client certificate or the TLS version ({alert:?})")
        }
        _ => return error,
    };
    io::Error::new(error.kind(), sentence)
}

impl tokio_postgres::tls::TlsStream for MonitoredStream<TlsStream<TcpStream>> {
    /// The hash of the server's certificate, by which SCRAM notices another server in between.
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.io.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        certificate
            .and_then(|certificate| end_point_hash(certificate))
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The hash of a certificate with the hash function of its signature, or SHA-256 in place of a weaker one (RFC 5929, section
/// 4.1). `None` if the signature has no hash function of its own.
fn end_point_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA_OR_SHA1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
    const ECDSA_WITH_SHA2: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03];

    let (contents, _) = der_element(certificate)?;
    let (_, after_body) = der_element(contents)?;
    let (algorithm, _) = der_element(after_body)?;
    let (id, _) = der_element(algorithm)?;
    let (last, family) = id.split_last()?;
    Some(match (family, last) {
        (RSA_OR_SHA1, 4 | 5 | 11) | (ECDSA_WITH_SHA2, 2) => Sha256::digest(certificate).to_vec(),
        (RSA_OR_SHA1, 12) | (ECDSA_WITH_SHA2, 3) => Sha384::digest(certificate).to_vec(),
        (RSA_OR_SHA1, 13) | (ECDSA_WITH_SHA2, 4) => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

/// The contents of the first element of DER, and what follows it.
fn der_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.get(1..)?.split_first()?;
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            let add = |sum: usize, byte: &u8| Some(sum.checked_mul(256)? + usize::from(*byte));
            (length.iter().try_fold(0, add)?, rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate with a body, this algorithm and no signature.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let element = |kind: u8, content: &[u8]| {
            [&[kind, u8::try_from(content.len()).unwrap()], content].concat()
        };
        let algorithm = element(0x30, &element(0x06, algorithm));
        element(0x30, &[element(0x30, b"body"), algorithm].concat())
    }

    #[test]
    fn the_hash_function_is_that_of_the_signature() {
        let rsa = |last| [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, last];
        let length = |id: &[u8]| end_point_hash(&certificate(id)).map(|hash| hash.len());

        assert_eq!([5, 11, 12, 13].map(|last| length(&rsa(last))), [32, 32, 48, 64].map(Some));
        assert_eq!(length(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03]), Some(48));
        let ed25519 = [0x2B, 0x65, 0x70];
        assert_eq!(length(&ed25519), None);
    }

    #[test]
    fn anything_else_than_a_certificate_has_no_hash() {
        for bytes in [&b""[..], b"\x30", b"\x30\x84\xFF\xFF\xFF\xFF", b"\x30\x03\x30\x05\x00"] {
            assert_eq!(end_point_hash(bytes), None, "{bytes:?}");
        }
    }
}
