use std::fs;
use std::process::Command;

use grateful_local_postgres::{Cluster, Error};
use rstest::rstest;

use crate::support::{Holder, Scene, ask, socket};

#[test]
fn a_fresh_folder_becomes_a_cluster_with_its_database() {
    let scene = Scene::new();

    let cluster = scene.open();

    let url = cluster.url("thanks");
    assert_eq!(ask(&url, "SELECT current_user || ' ' || current_database()"), "grateful thanks");
    assert_eq!(ask(&url, "SHOW server_encoding"), "UTF8");
    assert_eq!(ask(&url, "SHOW listen_addresses"), "");
    assert_eq!(ask(&url, "SHOW fsync"), "on");
    cluster.close().unwrap();
}

#[test]
fn data_survive_a_restart() {
    let scene = Scene::new();
    let cluster = scene.open();
    ask(&cluster.url("thanks"), "CREATE TABLE notes AS SELECT 'thank you' AS text");
    cluster.close().unwrap();
    scene.falls_silent();

    let cluster = scene.open();

    assert_eq!(ask(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
}

#[test]
fn closing_leaves_no_process_and_no_socket() {
    let scene = Scene::new();
    let cluster = scene.open();
    let socket = socket(&cluster.url("thanks"));
    assert!(socket.is_dir());

    cluster.close().unwrap();

    scene.falls_silent();
    assert!(!socket.exists());
}

#[test]
fn postgresql_hears_no_ctrl_c_and_holds_no_lock_of_ours() {
    let scene = Scene::new();
    let cluster = scene.open();
    let pid = scene.server();

    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let group = stat.rsplit(')').next().unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(group, pid.to_string());

    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let open: Vec<_> = open.filter_map(|it| fs::read_link(it.path()).ok()).collect();
    assert!(!open.is_empty());
    assert!(!open.iter().any(|it| it.extension().is_some_and(|end| end == "lock")), "{open:?}");
    cluster.close().unwrap();
}

#[test]
fn the_callers_own_settings_for_postgresql_are_not_heard() {
    let scene = Scene::new();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.env("PGDATA", "/nowhere").env("PGPORT", "1").env("PGOPTIONS", "-c fsync=off");
    program.env("LC_ALL", "xx_XX").env("PGDATABASE", "other").env("PGUSER", "somebody");

    let holder = Holder::from(program, &scene.folder().display().to_string()).ready();

    assert_eq!(ask(&holder.url, "SHOW fsync"), "on");
    assert_ne!(ask(&holder.url, "SHOW lc_messages"), "xx_XX");
    holder.leave();
}

#[test]
fn threads_may_share_a_cluster() {
    fn shareable<T: Send + Sync>() {}

    shareable::<Cluster>();
}

#[test]
fn the_log_begins_anew_when_it_is_large() {
    let scene = Scene::new();
    scene.open().close().unwrap();
    let log = scene.folder().join("postgres.log");
    fs::File::options().write(true).open(&log).unwrap().set_len(9 << 20).unwrap();

    scene.open().close().unwrap();

    assert!(log.metadata().unwrap().len() < 1 << 20);
}

#[test]
fn a_throwaway_cluster_is_gone_with_its_last_user() {
    let cluster = Cluster::throwaway("gone with its last user").unwrap();
    let folder = cluster.folder().to_owned();
    let socket = socket(&cluster.url("postgres"));
    fs::write(folder.join("a caller's own.lock"), "").unwrap();
    assert_eq!(ask(&cluster.url("postgres"), "SHOW fsync"), "off");

    cluster.close().unwrap();

    assert!(!folder.exists());
    assert!(!socket.exists());
}

#[test]
fn names_keep_throwaway_clusters_apart() {
    let one = Cluster::throwaway("one checkout").unwrap();
    let other = Cluster::throwaway("another checkout").unwrap();

    assert_ne!(one.folder(), other.folder());
    assert_ne!(one.url("postgres"), other.url("postgres"));

    one.close().unwrap();
    other.close().unwrap();
}

#[test]
fn psql_understands_the_url_too() {
    let cluster = Cluster::throwaway("for psql").unwrap();
    if let Some(psql) = cluster.programs().program("psql") {
        let mut command = Command::new(psql);
        command.args(["-XAtc", "SELECT 6 * 7"]).arg(cluster.url("postgres"));

        let output = command.output().unwrap();

        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "42");
    } else {
        println!("there is no psql on this machine");
    }
    cluster.close().unwrap();
}

#[rstest]
#[case("thanks & \"praise\"; DROP")]
#[case("Dänk schön")]
fn the_database_may_have_an_odd_name(#[case] name: &str) {
    let scene = Scene::new();

    let cluster = Cluster::open(&scene.folder(), name).unwrap();

    assert_eq!(ask(&cluster.url(name), "SELECT current_database()"), name);
    cluster.close().unwrap();
}

#[test]
fn a_name_of_two_lines_is_refused_and_leaves_no_cluster() {
    let scene = Scene::new();

    let error = Cluster::open(&scene.folder(), "thanks\nDROP DATABASE postgres").unwrap_err();

    assert!(matches!(error, Error::BadName { .. }), "{error}");
    assert!(!scene.folder().join("cluster").exists());
}
