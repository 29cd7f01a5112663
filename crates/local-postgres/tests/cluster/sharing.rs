use std::thread;

use grateful_local_postgres::Cluster;

use crate::support::{
    ClusterFixture, UserProcess, eventually, kill_and_wait, query, reaper_pid, socket_dir,
};

#[test]
fn a_second_process_keeps_the_server_when_the_first_exits() {
    let fixture = ClusterFixture::new();
    let first = fixture.spawn_user();
    let pid = fixture.server_pid();

    let second = fixture.open();
    first.exit();

    assert_eq!(fixture.server_pid(), pid);
    assert_eq!(query(&second.url("thanks"), "SELECT 1"), "1");
    second.close().unwrap();
    fixture.wait_for_no_processes();
}

#[test]
fn a_second_process_keeps_the_server_when_the_first_is_killed() {
    let fixture = ClusterFixture::new();
    let first = fixture.spawn_user();
    let pid = fixture.server_pid();

    let second = fixture.open();
    first.kill();

    assert_eq!(query(&second.url("thanks"), "SELECT 1"), "1");
    assert_eq!(fixture.server_pid(), pid);
    second.close().unwrap();
    fixture.wait_for_no_processes();
}

#[test]
fn processes_that_start_at_once_share_one_server() {
    let name = format!("throwaway:many at once {}", std::process::id());
    let users: Vec<_> = (0..8).map(|_| UserProcess::spawn(&name)).collect();

    let users: Vec<_> = users.into_iter().map(UserProcess::ready).collect();

    let starts = users.iter().map(|user| query(&user.url, "SELECT pg_postmaster_start_time()"));
    let mut starts: Vec<_> = starts.collect();
    starts.dedup();
    assert_eq!(starts.len(), 1, "{starts:?}");
    let directory = users[0].directory.clone();
    let socket = socket_dir(&users[0].url);
    let exits: Vec<_> = users.into_iter().map(|user| thread::spawn(|| user.exit())).collect();
    for exit in exits {
        exit.join().unwrap();
    }
    eventually("everything is removed", || !directory.exists() && !socket.exists());
}

#[test]
fn a_process_that_starts_while_the_last_one_exits_gets_a_running_server() {
    let fixture = ClusterFixture::new();
    for _ in 0..5 {
        // Not closed, so that the reaper is still working when the next one opens the cluster.
        drop(fixture.open());
        drop(Cluster::throwaway("reopened").unwrap());
    }

    let durable = fixture.open();
    let throwaway = Cluster::throwaway("reopened").unwrap();

    assert_eq!(query(&durable.url("thanks"), "SELECT 1"), "1");
    assert_eq!(query(&throwaway.url("postgres"), "SELECT 1"), "1");
    durable.close().unwrap();
    throwaway.close().unwrap();
    fixture.wait_for_no_processes();
}

#[test]
fn a_killed_reaper_is_replaced_by_a_process_that_uses_the_cluster() {
    let fixture = ClusterFixture::new();
    let starter = fixture.spawn_user();
    let cluster = fixture.open();
    starter.exit();

    for _ in 0..2 {
        let old = reaper_pid(&fixture.directory()).expect("a reaper");
        kill_and_wait(old);
        eventually("another reaper", || {
            reaper_pid(&fixture.directory()).is_some_and(|reaper| reaper != old)
        });
    }

    cluster.close().unwrap();
    fixture.wait_for_no_processes();
}

#[test]
fn a_killed_reaper_is_replaced_by_the_next_process_that_opens_the_cluster() {
    let fixture = ClusterFixture::new();
    let first = fixture.spawn_user();
    first.suspend();
    let old = reaper_pid(&fixture.directory()).expect("a reaper");
    kill_and_wait(old);

    let second = fixture.open();

    assert!(reaper_pid(&fixture.directory()).is_some_and(|reaper| reaper != old));
    first.kill();
    second.close().unwrap();
    fixture.wait_for_no_processes();
}
