use std::fs;
use std::path::Path;

use grateful_local_postgres::Cluster;
use nix::sys::signal::{Signal, kill};
use rstest::rstest;

use crate::support::{
    ClusterFixture, UserProcess, eventually, kill_and_wait, query, server_pid, socket_dir,
    try_query,
};

#[test]
fn the_server_stops_when_the_last_process_is_killed() {
    let fixture = ClusterFixture::new();
    let user = fixture.spawn_user();
    let socket = socket_dir(&user.url);

    user.kill();

    fixture.wait_for_no_processes();
    eventually("the socket is removed", || !socket.exists());
}

#[test]
fn a_throwaway_cluster_is_removed_when_the_last_process_is_killed() {
    let user = UserProcess::spawn("throwaway:killed user").ready();
    let (directory, socket) = (user.directory.clone(), socket_dir(&user.url));
    assert!(directory.exists());

    user.kill();

    eventually("everything is removed", || !directory.exists() && !socket.exists());
}

#[rstest]
#[case::the_whole_directory("")]
#[case::the_data_directory("cluster")]
fn a_server_whose_directory_was_removed_is_still_stopped(#[case] removed: &str) {
    let fixture = ClusterFixture::new();
    let user = fixture.spawn_user();
    let socket = socket_dir(&user.url);
    fs::remove_dir_all(fixture.directory().join(removed)).unwrap();

    user.kill();

    fixture.wait_for_no_processes();
    eventually("the socket is removed", || !socket.exists());
}

#[test]
fn a_killed_server_restarts_with_committed_data() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let url = cluster.url("thanks");
    query(&url, "CREATE TABLE notes AS SELECT 'thank you' AS text");

    for _ in 0..2 {
        kill_and_wait(fixture.server_pid());

        eventually("the server restarts", || try_query(&url, "SELECT 1").is_ok());
        assert_eq!(query(&url, "SELECT text FROM notes"), "thank you");
    }
    cluster.close().unwrap();
    fixture.wait_for_no_processes();
}

#[rstest]
#[case::the_whole_directory(|socket: &Path| fs::remove_dir_all(socket))]
#[case::only_the_socket(|socket: &Path| fs::remove_file(socket.join(".s.PGSQL.5432")))]
fn a_server_whose_socket_was_removed_restarts_with_committed_data(
    #[case] remove: fn(&Path) -> std::io::Result<()>,
) {
    let fixture = ClusterFixture::new();
    let other = fixture.spawn_user();
    let cluster = fixture.open();
    let url = cluster.url("thanks");
    query(&url, "CREATE TABLE notes AS SELECT 'thank you' AS text");

    remove(&socket_dir(&url)).unwrap();

    eventually("the server is reachable again", || try_query(&url, "SELECT 1").is_ok());
    assert_eq!(query(&url, "SELECT text FROM notes"), "thank you");
    let log = fs::read_to_string(fixture.directory().join("postgres.log")).unwrap();
    assert_eq!(log.matches("ready to accept connections").count(), 2, "{log}");
    other.exit();
    cluster.close().unwrap();
    fixture.wait_for_no_processes();
}

#[test]
fn a_killed_throwaway_server_restarts_with_committed_data() {
    let cluster = Cluster::throwaway("killed server").unwrap();
    let url = cluster.url("postgres");
    query(&url, "CREATE TABLE notes AS SELECT 'thank you' AS text");

    kill_and_wait(server_pid(cluster.directory()).unwrap());

    eventually("the server restarts", || try_query(&url, "SELECT 1").is_ok());
    assert_eq!(query(&url, "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
}

#[test]
fn one_of_two_processes_restarts_a_killed_server() {
    let fixture = ClusterFixture::new();
    let other = fixture.spawn_user();
    let cluster = fixture.open();
    let url = cluster.url("thanks");

    kill_and_wait(fixture.server_pid());
    eventually("the server restarts", || try_query(&url, "SELECT 1").is_ok());

    let log = fs::read_to_string(fixture.directory().join("postgres.log")).unwrap();
    assert_eq!(log.matches("ready to accept connections").count(), 2, "{log}");
    other.exit();
    assert_eq!(query(&url, "SELECT 1"), "1");
    cluster.close().unwrap();
}

#[test]
fn a_busy_backend_of_a_killed_server_does_not_block_the_restart() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let url = cluster.url("thanks");
    let busy_client = std::thread::spawn({
        let url = url.clone();
        move || try_query(&url, "SELECT sum(sqrt(n)) FROM generate_series(1, 1000000000) AS n")
    });
    let busy_count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sqrt(n)%' AND pid <> pg_backend_pid()";
    eventually("the backend is busy", || query(&url, busy_count) != "0");

    kill_and_wait(fixture.server_pid());

    eventually("the server restarts", || try_query(&url, "SELECT 1").is_ok());
    assert!(busy_client.join().unwrap().is_err());
    cluster.close().unwrap();
}

#[test]
fn a_server_that_is_stopped_from_outside_restarts_although_a_client_is_connected() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let url = cluster.url("thanks");
    let pid = fixture.server_pid();
    let client = std::thread::spawn({
        let url = url.clone();
        move || try_query(&url, "SELECT pg_sleep(60)")
    });
    let sleeping_count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    eventually("a client is connected", || query(&url, sleeping_count) == "1");

    kill(pid, Signal::SIGTERM).unwrap();

    eventually("the server restarts", || {
        server_pid(&fixture.directory()).is_some_and(|current| current != pid)
            && try_query(&url, "SELECT 1").is_ok()
    });
    assert!(client.join().unwrap().is_err());
    cluster.close().unwrap();
}

#[test]
fn committed_data_survives_when_the_process_and_the_server_are_killed() {
    let fixture = ClusterFixture::new();
    let user = fixture.spawn_user();
    query(&user.url, "CREATE TABLE notes AS SELECT 'thank you' AS text");
    let pid = fixture.server_pid();

    user.kill();
    let _ = kill(pid, Signal::SIGKILL);
    let cluster = fixture.open();

    assert_eq!(query(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
    fixture.wait_for_no_processes();
}

#[rstest]
#[case::while_creating(|name: &str| name.starts_with("cluster.new-"))]
#[case::while_starting(|name: &str| name == "starting")]
fn a_process_killed_during_startup_does_not_prevent_the_next_one(
    #[case] has_begun: fn(&str) -> bool,
) {
    let fixture = ClusterFixture::new();
    let user = UserProcess::spawn(&fixture.directory().display().to_string());
    eventually("the startup has begun", || {
        file_names_in(&fixture.directory()).iter().any(|name| has_begun(name))
    });

    user.kill();
    let cluster = fixture.open();

    assert_eq!(query(&cluster.url("thanks"), "SELECT 1"), "1");
    cluster.close().unwrap();
    fixture.wait_for_no_processes();
    let names = file_names_in(&fixture.directory());
    let is_left_over = |name: &String| name.starts_with("cluster.new-") || name == "starting";
    assert!(!names.iter().any(is_left_over), "{names:?}");
}

#[test]
fn a_pid_file_with_the_pid_of_another_program_is_ignored() {
    let fixture = ClusterFixture::new();
    fixture.open().close().unwrap();
    let stale = format!("{}\n/x\n0\n5432\n/tmp/x\n\n 1 1\nready\n", std::process::id());
    fs::write(fixture.directory().join("cluster/postmaster.pid"), stale).unwrap();

    let cluster = fixture.open();

    assert_eq!(query(&cluster.url("thanks"), "SELECT 1"), "1");
    cluster.close().unwrap();
}

fn file_names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
