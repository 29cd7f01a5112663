//! Throwaway clusters with standbys.

use std::time::{Duration, Instant};

use grateful_local_postgres::{Node, NodeOptions, ReplicatedCluster};
use nix::unistd::Pid;

use crate::support::{eventually, processes_below, try_query};

#[test]
fn a_primary_and_two_standbys_start_in_time_and_leave_no_process() {
    let started = Instant::now();
    let cluster = ReplicatedCluster::throwaway("start", 2).unwrap();
    let took = started.elapsed();
    let [primary, standbys @ ..] = cluster.nodes() else { panic!("no nodes") };
    let data_dirs: Vec<_> = cluster.nodes().iter().map(Node::data_dir).collect();

    assert_eq!(query(primary, "SELECT pg_is_in_recovery()"), "f");
    for standby in standbys {
        assert_eq!(query(standby, "SELECT pg_is_in_recovery()"), "t");
    }
    assert_eq!(query(primary, "SELECT count(*) FROM pg_stat_replication"), "2");
    // Most of it is initdb. The machine may be busy.
    assert!(took < Duration::from_secs(30), "{took:?}");
    eprintln!("a primary with two standbys: {took:?}");

    drop(cluster);
    eventually("all servers end", || {
        data_dirs.iter().all(|dir| !dir.exists() && processes_below(dir).is_empty())
    });
}

#[test]
fn a_paused_standby_acknowledges_commits_that_its_reads_do_not_see() {
    let cluster = ReplicatedCluster::throwaway("pause", 1).unwrap();
    let [primary, standby] = cluster.nodes() else { panic!("two nodes") };
    query(primary, "CREATE TABLE numbers (number int)");
    eventually("the table is there", || try_query(&standby.url("postgres"), COUNT).is_ok());

    standby.pause_replay().unwrap();
    // Waits for the standby, so it would hang if that did not receive anything.
    query(primary, "INSERT INTO numbers VALUES (1)");

    assert_eq!((query(primary, COUNT), query(standby, COUNT)), ("1".into(), "0".into()));

    standby.resume_replay().unwrap();
    eventually("the row is there", || query(standby, COUNT) == "1");
}

#[test]
fn when_the_primary_is_killed_a_promoted_standby_has_every_commit() {
    let cluster = ReplicatedCluster::throwaway("kill", 2).unwrap();
    let [primary, first, second] = cluster.nodes() else { panic!("three nodes") };
    query(primary, "CREATE TABLE numbers (number int); INSERT INTO numbers VALUES (1), (2)");

    primary.kill().unwrap();
    let first_has_more = second.received_bytes().unwrap() <= first.received_bytes().unwrap();
    let (promoted, other) = if first_has_more { (first, second) } else { (second, first) };
    promoted.promote().unwrap();
    other.follow(promoted).unwrap();

    assert_eq!(query(promoted, COUNT), "2");
    query(promoted, "INSERT INTO numbers VALUES (3)");
    eventually("the other standby follows", || query(other, COUNT) == "3");
}

#[test]
fn a_frozen_server_answers_when_it_is_thawed() {
    let cluster = ReplicatedCluster::throwaway("freeze", 0).unwrap();
    let [server] = cluster.nodes() else { panic!("one node") };
    let url = server.url("postgres");

    server.freeze().unwrap();
    let states: Vec<String> =
        processes_below(&server.data_dir()).into_iter().map(state_of).collect();
    server.thaw().unwrap();

    assert!(!states.is_empty());
    assert!(states.iter().all(|state| state == "T"), "{states:?}");
    assert_eq!(try_query(&url, "SELECT 1").unwrap(), "1");
}

#[test]
fn settings_and_files_are_those_of_the_server() {
    let options = NodeOptions {
        settings: vec!["work_mem=7MB".into()],
        files: vec![("notes.txt".into(), b"thanks".to_vec())],
    };
    let cluster = ReplicatedCluster::throwaway_with("options", 0, &options).unwrap();

    assert_eq!(query(&cluster.nodes()[0], "SHOW work_mem"), "7MB");
    assert_eq!(query(&cluster.nodes()[0], "SELECT pg_read_file('notes.txt')"), "thanks");
}

const COUNT: &str = "SELECT count(*) FROM numbers";

/// The state of a process, such as `T` for a stopped one.
fn state_of(process: Pid) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    let stat = stat.expect("a process");
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.unwrap_or_default().to_owned()
}

fn query(node: &Node, sql: &str) -> String {
    try_query(&node.url("postgres"), sql).expect("a result")
}
