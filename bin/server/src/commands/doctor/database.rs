//! Checks of PostgreSQL and the database.

use grateful_application::{App, Clock as _, SystemClock};
use grateful_local_postgres::Installation;
use grateful_storage::{
    Connection, Database, DatabaseConfig, ServerReport, StorageError, applied_migrations,
    connection_limit, inspect_server, pending_migrations, unknown_migrations,
};
use tokio::task::spawn_blocking;

use super::Check;
use crate::config::Settings;
use crate::connection_budget::ConnectionBudget;
use crate::database::{MIN_MAJOR_VERSION, Postgres, has_private_cluster};

/// Checks the configured database, or the private one if it exists. Does not create or migrate one.
pub(super) async fn check(settings: &Settings) -> anyhow::Result<Vec<Check>> {
    if settings.database_url.is_none() && !has_private_cluster(&settings.data_dir) {
        return Ok(vec![check_installation().await?]);
    }
    let postgres = match Postgres::open(settings) {
        Ok(postgres) => postgres,
        Err(error) => {
            let advice = "set DATABASE_URL, or install the package postgresql";
            return Ok(vec![Check::fail("postgresql", format!("{error:#}"), advice)]);
        }
    };
    let config = postgres.config.clone().with_max_connections(1).with_readers(0);
    let database = Database::connect_lazily(config);
    let checks = match database.acquire().await {
        Ok(mut conn) => check_connected(&mut conn, postgres.connections).await,
        Err(error) => vec![unreachable(error)],
    };
    drop(database);
    let replicas = check_replicas(settings, &postgres.config).await?;
    postgres.close()?;
    Ok([checks, replicas].concat())
}

/// Checks that each replica can be reached, and is one.
async fn check_replicas(
    settings: &Settings,
    config: &DatabaseConfig,
) -> anyhow::Result<Vec<Check>> {
    let replicas = settings.replicas()?;
    let mut checks = Vec::new();
    for (name, url) in replicas.names().zip(&settings.replica_urls) {
        let mut config = config.clone().with_max_connections(1).with_readers(0);
        config.url.clone_from(url);
        let database = Database::connect_lazily(config);
        let report = async { inspect_server(&mut *database.acquire().await?).await };
        checks.push(check_replica(name, report.await));
    }
    Ok(checks)
}

fn check_replica(name: &str, report: Result<ServerReport, StorageError>) -> Check {
    match report {
        Ok(report) if report.is_replica => Check::ok("replica", name),
        Ok(_) => {
            let advice = "remove it from GRATEFUL_REPLICA_URLS, or make it a replica: reads run on the primary";
            Check::fail("replica", format!("{name} is not a replica"), advice)
        }
        Err(error) => {
            let error = format!("{:#}", anyhow::Error::from(error));
            let advice = "start it, or remove it from GRATEFUL_REPLICA_URLS: reads run on the primary until it answers";
            Check::warn("replica", format!("{name}: {error}"), advice)
        }
    }
}

async fn check_installation() -> anyhow::Result<Check> {
    Ok(match spawn_blocking(Installation::find).await? {
        Ok(installation) => {
            let version = installation.major_version();
            let detail = format!("{version}, private: it is created when the server first starts");
            Check::ok("postgresql", detail)
        }
        Err(error) => Check::fail(
            "postgresql",
            error.to_string(),
            "install the package postgresql, or set DATABASE_URL",
        ),
    })
}

fn unreachable(error: StorageError) -> Check {
    let error = format!("{:#}", anyhow::Error::from(error));
    let advice =
        "start PostgreSQL, and compare DATABASE_URL with its address, role, password and database";
    Check::fail("postgresql", error, advice)
}

async fn check_connected(conn: &mut Connection, budget: ConnectionBudget) -> Vec<Check> {
    let report = match inspect_server(conn).await {
        Ok(report) => report,
        Err(error) => return vec![unreachable(error)],
    };
    let limit = connection_limit(conn).await;
    let migrations = check_migrations(conn).await.unwrap_or_else(unreachable);
    vec![
        check_version(&report),
        check_role(&report),
        check_encoding(&report),
        check_clock(&report),
        limit.map_or_else(unreachable, |limit| check_connections(&report, limit, budget)),
        migrations,
    ]
}

fn check_version(report: &ServerReport) -> Check {
    if report.major_version < MIN_MAJOR_VERSION {
        let advice = format!("upgrade PostgreSQL to version {MIN_MAJOR_VERSION} or newer");
        return Check::fail("postgresql", &report.version, advice);
    }
    Check::ok("postgresql", &report.version)
}

fn check_role(report: &ServerReport) -> Check {
    let ServerReport { role, can_create_tables, is_replica, .. } = report;
    if *is_replica {
        let advice = "put the address of the primary into DATABASE_URL";
        return Check::fail(
            "role",
            format!("{role}, on a replica, which accepts no writes"),
            advice,
        );
    }
    if !can_create_tables {
        let detail = format!("{role} may not create tables, so it cannot migrate the database");
        let advice = format!(
            "GRANT CREATE ON SCHEMA public TO \"{role}\", or make it the owner of the database"
        );
        return Check::warn("role", detail, advice);
    }
    Check::ok("role", role)
}

fn check_encoding(report: &ServerReport) -> Check {
    if report.encoding == "UTF8" {
        return Check::ok("encoding", "UTF8");
    }
    let advice = "create another database: CREATE DATABASE grateful TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'";
    Check::fail("encoding", format!("{}, and must be UTF8", report.encoding), advice)
}

fn check_clock(report: &ServerReport) -> Check {
    let difference = SystemClock.now() - report.now;
    let detail =
        format!("{} ms apart from the clock of the database", difference.num_milliseconds());
    if difference.abs() <= App::MAX_CLOCK_SKEW {
        Check::ok("clock", detail)
    } else {
        let advice = "set both clocks with NTP: until they agree, the server is not ready";
        Check::fail("clock", detail, advice)
    }
}

fn check_connections(report: &ServerReport, limit: u32, budget: ConnectionBudget) -> Check {
    let (needed, limit) = (budget.total(), usize::try_from(limit).unwrap_or(usize::MAX));
    let detail = format!(
        "a server opens up to {needed}, PostgreSQL allows {limit} and has {} now",
        report.connections
    );
    if limit < needed {
        let advice = "raise max_connections or the limit of the role or the database, or lower \
                      GRATEFUL_CONNECTIONS_PER_WORKER, GRATEFUL_READERS_PER_WORKER or GRATEFUL_WORKERS";
        Check::warn("connections", detail, advice)
    } else {
        Check::ok("connections", detail)
    }
}

async fn check_migrations(conn: &mut Connection) -> Result<Check, StorageError> {
    let pending = pending_migrations(conn).await?;
    let unknown = unknown_migrations(&applied_migrations(conn).await?)?;
    Ok(if !unknown.is_empty() {
        let detail = format!("{} are from a newer version of Grateful", unknown.len());
        Check::warn("migrations", detail, "install the version that the other nodes run")
    } else if pending.is_empty() {
        Check::ok("migrations", "none pending")
    } else {
        let detail = format!("{} pending", pending.len());
        let advice = "make a backup, then run grateful migrate, or start the server without GRATEFUL_NO_MIGRATE";
        Check::warn("migrations", detail, advice)
    })
}
