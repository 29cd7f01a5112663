//! TLS to a real PostgreSQL, with certificates made for the test.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::LazyLock;

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use grateful_local_postgres::{NodeOptions, ReplicatedCluster};
use grateful_storage::{Database, DatabaseConfig, Repositories, Result, migrate};
use grateful_testkit::{Proxy, TestDatabase};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

static SERVER: LazyLock<TlsServer> = LazyLock::new(TlsServer::start);

#[tokio::test]
async fn connections_are_encrypted_where_the_server_can() {
    for parameters in ["", "sslmode=prefer", "sslmode=require"] {
        assert_eq!(
            is_encrypted(&SERVER.url("grateful", "localhost", parameters)).await.ok(),
            Some(true),
            "{parameters}"
        );
    }
    let disabled = SERVER.url("grateful", "localhost", "sslmode=disable");
    assert_eq!(is_encrypted(&disabled).await.ok(), Some(false));
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_if_tls_is_not_required() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.url()).await;

    assert_eq!(is_encrypted(&proxy.url()).await.ok(), Some(false));
    let refused = refusal(&format!("{}?sslmode=require", proxy.url())).await;
    assert!(refused.ends_with("server does not support TLS"), "{refused}");
}

#[tokio::test]
async fn the_authority_and_the_name_are_verified_on_demand() {
    let trusted = format!("sslrootcert={}", SERVER.file("ca.pem"));
    let wrong = format!("sslrootcert={}", SERVER.file("other-ca.pem"));
    let url = |host: &str, mode: &str, root: &str| {
        SERVER.url("grateful", host, &format!("sslmode={mode}&{root}"))
    };

    for (host, mode) in
        [("localhost", "verify-full"), ("localhost", "verify-ca"), ("db.example", "verify-ca")]
    {
        let encrypted = is_encrypted(&url(host, mode, &trusted)).await;
        assert!(encrypted.unwrap(), "{host} {mode}");
    }
    assert_eq!(
        refusal(&url("db.example", "verify-full", &trusted)).await,
        "cannot connect to db.example:5432: error performing TLS handshake: \
         the certificate of the server is not valid for the name db.example"
    );
    for mode in ["verify-full", "verify-ca"] {
        assert_eq!(
            refusal(&url("localhost", mode, &wrong)).await,
            "cannot connect to localhost:5432: error performing TLS handshake: \
             no authority in sslrootcert has signed the certificate of the server"
        );
    }
    let missing = refusal(&url("localhost", "verify-full", "sslrootcert=/nowhere.pem")).await;
    assert!(missing.contains("sslrootcert /nowhere.pem cannot be read: "), "{missing}");
}

#[tokio::test]
async fn a_server_can_demand_a_certificate_of_the_client() {
    let url = |parameters: &str| {
        let root = SERVER.file("ca.pem");
        SERVER.url(
            "certified",
            "localhost",
            &format!("sslmode=verify-full&sslrootcert={root}{parameters}"),
        )
    };
    let own =
        format!("&sslcert={}&sslkey={}", SERVER.file("client.pem"), SERVER.file("client.key"));

    assert!(is_encrypted(&url(&own)).await.unwrap());
    let refused = refusal(&url("")).await;
    assert!(refused.contains("certificate"), "{refused}");
}

/// The server compares the hash of its certificate with that of the client.
#[tokio::test]
async fn a_password_is_bound_to_the_certificate_of_the_server() {
    let url =
        SERVER.url("secretive:hidden", "localhost", "sslmode=require&channel_binding=require");

    assert!(is_encrypted(&url).await.unwrap());
    let refused = refusal(&url.replace("hidden", "wrong")).await;
    assert!(refused.contains("password authentication failed"), "{refused}");
}

#[tokio::test]
async fn migrations_and_shared_connections_use_tls_too() {
    let root = SERVER.file("ca.pem");
    let url =
        SERVER.url("grateful", "localhost", &format!("sslmode=verify-full&sslrootcert={root}"));

    assert!(!migrate(&url).await.unwrap().is_empty());
    let pool = Database::connect_lazily(DatabaseConfig::new(&url));
    let found = pool.read(async |mut conn| conn.users().find(1.into()).await).await;

    assert_eq!(found.unwrap(), None);
}

/// A PostgreSQL with TLS on a loopback address of its own, since its port is that of every PostgreSQL.
struct TlsServer {
    address: Ipv4Addr,
    files: TempDir,
    _cluster: ReplicatedCluster,
}

impl TlsServer {
    fn start() -> Self {
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 77, high, low);
        let (authority, other) = (authority("Grateful"), authority("Other"));
        let [(server, server_key), (client, client_key)] =
            ["localhost", "certified"].map(|name| signed(name, &authority));
        let files = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("ca.pem", authority.pem()),
            ("other-ca.pem", other.pem()),
            ("client.pem", client),
            ("client.key", client_key),
        ] {
            std::fs::write(files.path().join(name), content).unwrap();
        }
        let options = NodeOptions {
            settings: [
                &format!("listen_addresses={address}"),
                "ssl=on",
                "ssl_cert_file=server.pem",
                "ssl_key_file=server.key",
                "ssl_ca_file=ca.pem",
            ]
            .map(str::to_owned)
            .to_vec(),
            files: [
                ("server.pem", server),
                ("server.key", server_key),
                ("ca.pem", authority.pem()),
                ("pg_hba.conf", HBA.to_owned()),
            ]
            .map(|(name, content)| (name.to_owned(), content.into_bytes()))
            .to_vec(),
        };
        let cluster = ReplicatedCluster::throwaway_with("tls", 0, &options).unwrap();
        let url = cluster.nodes()[0].url("postgres");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let pool = Database::connect_lazily(DatabaseConfig::new(url));
                let roles =
                    "CREATE ROLE certified LOGIN; CREATE ROLE secretive LOGIN PASSWORD 'hidden'";
                pool.acquire().await.unwrap().batch_execute(roles).await.unwrap();
            });
        })
        .join()
        .unwrap();
        Self { address, files, _cluster: cluster }
    }

    fn url(&self, user: &str, host: &str, parameters: &str) -> String {
        format!("postgresql://{user}@{host}/postgres?hostaddr={}&{parameters}", self.address)
            .trim_end_matches('&')
            .to_owned()
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.files.path().join(name);
        path.display().to_string()
    }
}

const HBA: &str = "local all all trust
hostssl all certified 127.0.0.0/8 trust clientcert=verify-ca
hostssl all secretive 127.0.0.0/8 scram-sha-256
host all grateful 127.0.0.0/8 trust
";

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key.
fn signed(name: &str, authority: &CertifiedIssuer<'_, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

#[derive(QueryableByName)]
struct Ssl {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    ssl: bool,
}

async fn is_encrypted(url: &str) -> Result<bool> {
    let pool = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = pool.acquire().await?;
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(diesel::sql_query(query).get_result::<Ssl>(&mut *conn).await?.ssl)
}

/// Why a connection is refused: the last cause.
async fn refusal(url: &str) -> String {
    let error = is_encrypted(url).await.unwrap_err();
    std::error::Error::source(&error).unwrap().to_string()
}
