use std::fs;
use std::path::Path;

use grateful_local_postgres::Cluster;
use nix::sys::signal::{Signal, kill};
use rstest::rstest;

use crate::support::{Holder, Scene, ask, eventually, kill_hard, server, socket, try_ask};

#[test]
fn a_killed_user_leaves_no_server_behind() {
    let scene = Scene::new();
    let user = scene.holder();
    let socket = socket(&user.url);

    user.kill();

    scene.falls_silent();
    eventually("the socket is removed", || !socket.exists());
}

#[test]
fn a_killed_user_leaves_no_throwaway_cluster_behind() {
    let user = Holder::spawn("throwaway:killed user").ready();
    let (folder, socket) = (user.folder.clone(), socket(&user.url));
    assert!(folder.exists());

    user.kill();

    eventually("everything is removed", || !folder.exists() && !socket.exists());
}

#[rstest]
#[case::with_everything_in_it("")]
#[case::but_for_the_locks("cluster")]
fn a_server_whose_folder_was_removed_is_stopped_all_the_same(#[case] removed: &str) {
    let scene = Scene::new();
    let user = scene.holder();
    let socket = socket(&user.url);
    fs::remove_dir_all(scene.folder().join(removed)).unwrap();

    user.kill();

    scene.falls_silent();
    eventually("the socket is removed", || !socket.exists());
}

#[test]
fn a_killed_server_comes_back_with_what_was_committed() {
    let scene = Scene::new();
    let cluster = scene.open();
    let url = cluster.url("thanks");
    ask(&url, "CREATE TABLE notes AS SELECT 'thank you' AS text");

    for _ in 0..2 {
        kill_hard(scene.server());

        eventually("it serves again", || try_ask(&url, "SELECT 1").is_ok());
        assert_eq!(ask(&url, "SELECT text FROM notes"), "thank you");
    }
    cluster.close().unwrap();
    scene.falls_silent();
}

#[test]
fn a_killed_throwaway_server_comes_back_too() {
    let cluster = Cluster::throwaway("killed server").unwrap();
    let url = cluster.url("postgres");
    ask(&url, "CREATE TABLE notes AS SELECT 'thank you' AS text");

    kill_hard(server(cluster.folder()).unwrap());

    eventually("it serves again", || try_ask(&url, "SELECT 1").is_ok());
    assert_eq!(ask(&url, "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
}

#[test]
fn two_users_of_a_killed_server_do_not_fight() {
    let scene = Scene::new();
    let other = scene.holder();
    let cluster = scene.open();
    let url = cluster.url("thanks");

    kill_hard(scene.server());
    eventually("it serves again", || try_ask(&url, "SELECT 1").is_ok());

    let log = fs::read_to_string(scene.folder().join("postgres.log")).unwrap();
    assert_eq!(log.matches("ready to accept connections").count(), 2, "{log}");
    other.leave();
    assert_eq!(ask(&url, "SELECT 1"), "1");
    cluster.close().unwrap();
}

#[test]
fn a_busy_backend_of_a_killed_server_does_not_keep_it_down() {
    let scene = Scene::new();
    let cluster = scene.open();
    let url = cluster.url("thanks");
    let busy = std::thread::spawn({
        let url = url.clone();
        move || try_ask(&url, "SELECT sum(sqrt(n)) FROM generate_series(1, 1000000000) AS n")
    });
    let is_busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sqrt(n)%' AND pid <> pg_backend_pid()";
    eventually("it is busy", || ask(&url, is_busy) != "0");

    kill_hard(scene.server());

    eventually("it serves again", || try_ask(&url, "SELECT 1").is_ok());
    assert!(busy.join().unwrap().is_err());
    cluster.close().unwrap();
}

#[test]
fn a_server_that_somebody_stops_is_started_again_although_clients_stay() {
    let scene = Scene::new();
    let cluster = scene.open();
    let url = cluster.url("thanks");
    let pid = scene.server();
    let client = std::thread::spawn({
        let url = url.clone();
        move || try_ask(&url, "SELECT pg_sleep(60)")
    });
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    eventually("a client stays", || ask(&url, sleeps) == "1");

    kill(pid, Signal::SIGTERM).unwrap();

    eventually("it serves again", || {
        server(&scene.folder()).is_some_and(|it| it != pid) && try_ask(&url, "SELECT 1").is_ok()
    });
    assert!(client.join().unwrap().is_err());
    cluster.close().unwrap();
}

#[test]
fn what_was_committed_survives_the_death_of_both() {
    let scene = Scene::new();
    let user = scene.holder();
    ask(&user.url, "CREATE TABLE notes AS SELECT 'thank you' AS text");
    let pid = scene.server();

    user.kill();
    let _ = kill(pid, Signal::SIGKILL);
    let cluster = scene.open();

    assert_eq!(ask(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    cluster.close().unwrap();
    scene.falls_silent();
}

#[rstest]
#[case::while_creating(|entry: &str| entry.starts_with("cluster.new-"))]
#[case::while_starting(|entry: &str| entry == "starting")]
fn who_is_killed_half_way_does_no_harm(#[case] is_far_enough: fn(&str) -> bool) {
    let scene = Scene::new();
    let user = Holder::spawn(&scene.folder().display().to_string());
    eventually("it is half way", || names_in(&scene.folder()).iter().any(|it| is_far_enough(it)));

    user.kill();
    let cluster = scene.open();

    assert_eq!(ask(&cluster.url("thanks"), "SELECT 1"), "1");
    cluster.close().unwrap();
    scene.falls_silent();
    let left = names_in(&scene.folder());
    assert!(!left.iter().any(|it| it.starts_with("cluster.new-") || it == "starting"), "{left:?}");
}

#[test]
fn a_pid_file_that_names_a_stranger_is_not_believed() {
    let scene = Scene::new();
    scene.open().close().unwrap();
    let stale = format!("{}\n/x\n0\n5432\n/tmp/x\n\n 1 1\nready\n", std::process::id());
    fs::write(scene.folder().join("cluster/postmaster.pid"), stale).unwrap();

    let cluster = scene.open();

    assert_eq!(ask(&cluster.url("thanks"), "SELECT 1"), "1");
    cluster.close().unwrap();
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
