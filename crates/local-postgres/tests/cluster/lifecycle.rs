use std::fs;
use std::path::PathBuf;
use std::process::Command;

use grateful_local_postgres::{Cluster, Error};
use rstest::rstest;

use crate::support::{ClusterFixture, UserProcess, query, socket_dir};

#[test]
fn an_empty_directory_becomes_a_cluster_with_its_database() {
    let fixture = ClusterFixture::new();

    let cluster = fixture.open();

    let url = cluster.url("thanks");
    assert_eq!(query(&url, "SELECT current_user || ' ' || current_database()"), "grateful thanks");
    assert_eq!(query(&url, "SHOW server_encoding"), "UTF8");
    assert_eq!(query(&url, "SHOW listen_addresses"), "");
    assert_eq!(query(&url, "SHOW fsync"), "on");
    cluster.close().unwrap();
}

#[test]
fn a_cluster_starts_with_the_requested_number_of_connections() {
    let fixture = ClusterFixture::new();

    for connections in [300, 150] {
        let cluster =
            Cluster::open_for_connections(&fixture.directory(), "thanks", connections).unwrap();
        let setting = query(&cluster.url("thanks"), "SHOW max_connections");
        assert_eq!(setting, connections.to_string());
        cluster.close().unwrap();
        fixture.wait_for_no_processes();
    }
}

#[test]
fn data_survives_a_restart() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    query(&cluster.url("thanks"), "CREATE TABLE notes AS SELECT 'thank you' AS text");
    cluster.close().unwrap();
    fixture.wait_for_no_processes();

    let cluster = fixture.open();

    assert_eq!(query(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
}

#[test]
fn closing_leaves_no_process_and_no_socket() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let socket = socket_dir(&cluster.url("thanks"));
    assert!(socket.is_dir());

    cluster.close().unwrap();

    fixture.wait_for_no_processes();
    assert!(!socket.exists());
}

#[test]
fn postgresql_ignores_ctrl_c_and_inherits_no_lock() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let pid = fixture.server_pid();

    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let process_group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(process_group, pid.to_string());

    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let open_files: Vec<_> =
        descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok()).collect();
    assert!(!open_files.is_empty());
    let is_lock = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "lock");
    assert!(!open_files.iter().any(is_lock), "{open_files:?}");
    cluster.close().unwrap();
}

#[test]
fn postgresql_variables_of_the_caller_are_ignored() {
    let fixture = ClusterFixture::new();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.env("PGDATA", "/nowhere").env("PGPORT", "1").env("PGOPTIONS", "-c fsync=off");
    program.env("LC_ALL", "xx_XX").env("PGDATABASE", "other").env("PGUSER", "another");

    let user = UserProcess::from(program, &fixture.directory().display().to_string()).ready();

    assert_eq!(query(&user.url, "SHOW fsync"), "on");
    assert_ne!(query(&user.url, "SHOW lc_messages"), "xx_XX");
    user.exit();
}

#[test]
fn a_cluster_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync>() {}

    assert_shareable::<Cluster>();
}

#[test]
fn a_large_log_is_rotated() {
    let fixture = ClusterFixture::new();
    fixture.open().close().unwrap();
    let log = fixture.directory().join("postgres.log");
    fs::File::options().write(true).open(&log).unwrap().set_len(9 << 20).unwrap();

    fixture.open().close().unwrap();

    assert!(log.metadata().unwrap().len() < 1 << 20);
}

#[test]
fn a_throwaway_cluster_is_removed_with_its_last_process() {
    let cluster = Cluster::throwaway("removed with its last process").unwrap();
    let directory = cluster.directory().to_owned();
    let socket = socket_dir(&cluster.url("postgres"));
    fs::write(directory.join("a caller's own.lock"), "").unwrap();
    assert_eq!(query(&cluster.url("postgres"), "SHOW fsync"), "off");

    cluster.close().unwrap();

    assert!(!directory.exists());
    assert!(!socket.exists());
}

#[test]
fn throwaway_clusters_with_different_names_are_separate() {
    let one = Cluster::throwaway("one checkout").unwrap();
    let other = Cluster::throwaway("another checkout").unwrap();

    assert_ne!(one.directory(), other.directory());
    assert_ne!(one.url("postgres"), other.url("postgres"));

    one.close().unwrap();
    other.close().unwrap();
}

#[test]
fn psql_accepts_the_url() {
    let cluster = Cluster::throwaway("for psql").unwrap();
    if let Some(psql) = cluster.installation().program("psql") {
        let mut command = Command::new(psql);
        command.args(["-XAtc", "SELECT 6 * 7"]).arg(cluster.url("postgres"));

        let output = command.output().unwrap();

        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "42");
    } else {
        println!("skipped: psql is not installed");
    }
    cluster.close().unwrap();
}

#[rstest]
#[case("thanks & \"praise\"; DROP")]
#[case("Dänk schön")]
fn a_database_name_may_contain_special_characters(#[case] name: &str) {
    let fixture = ClusterFixture::new();

    let cluster = Cluster::open(&fixture.directory(), name).unwrap();

    assert_eq!(query(&cluster.url(name), "SELECT current_database()"), name);
    cluster.close().unwrap();
}

#[test]
fn a_database_name_of_two_lines_is_rejected_and_creates_no_cluster() {
    let fixture = ClusterFixture::new();

    let error = Cluster::open(&fixture.directory(), "thanks\nDROP DATABASE postgres").unwrap_err();

    assert!(matches!(error, Error::InvalidDatabaseName { .. }), "{error}");
    assert!(!fixture.directory().join("cluster").exists());
}
