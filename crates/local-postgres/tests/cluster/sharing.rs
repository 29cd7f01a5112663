use std::thread;

use grateful_local_postgres::Cluster;

use crate::support::{Holder, Scene, ask, eventually, kill_hard, reaper, socket};

#[test]
fn a_second_process_joins_and_goes_on_when_the_first_leaves() {
    let scene = Scene::new();
    let first = scene.holder();
    let pid = scene.server();

    let second = scene.open();
    first.leave();

    assert_eq!(scene.server(), pid);
    assert_eq!(ask(&second.url("thanks"), "SELECT 1"), "1");
    second.close().unwrap();
    scene.falls_silent();
}

#[test]
fn a_second_process_goes_on_when_the_first_is_killed() {
    let scene = Scene::new();
    let first = scene.holder();
    let pid = scene.server();

    let second = scene.open();
    first.kill();

    assert_eq!(ask(&second.url("thanks"), "SELECT 1"), "1");
    assert_eq!(scene.server(), pid);
    second.close().unwrap();
    scene.falls_silent();
}

#[test]
fn of_many_who_come_at_once_one_starts_and_all_are_served() {
    let name = format!("throwaway:many at once {}", std::process::id());
    let holders: Vec<_> = (0..8).map(|_| Holder::spawn(&name)).collect();

    let holders: Vec<_> = holders.into_iter().map(Holder::ready).collect();

    let starts = holders.iter().map(|it| ask(&it.url, "SELECT pg_postmaster_start_time()"));
    let mut starts: Vec<_> = starts.collect();
    starts.dedup();
    assert_eq!(starts.len(), 1, "{starts:?}");
    let folder = holders[0].folder.clone();
    let socket = socket(&holders[0].url);
    for leaving in holders.into_iter().map(|it| thread::spawn(|| it.leave())).collect::<Vec<_>>() {
        leaving.join().unwrap();
    }
    eventually("everything is removed", || !folder.exists() && !socket.exists());
}

#[test]
fn whoever_comes_while_the_last_one_leaves_is_served_all_the_same() {
    let scene = Scene::new();
    for _ in 0..5 {
        // Not closed, so that the reaper is still at it when the next one comes.
        drop(scene.open());
        drop(Cluster::throwaway("coming and going").unwrap());
    }

    let durable = scene.open();
    let throwaway = Cluster::throwaway("coming and going").unwrap();

    assert_eq!(ask(&durable.url("thanks"), "SELECT 1"), "1");
    assert_eq!(ask(&throwaway.url("postgres"), "SELECT 1"), "1");
    durable.close().unwrap();
    throwaway.close().unwrap();
    scene.falls_silent();
}

#[test]
fn a_killed_reaper_is_replaced_by_whoever_uses_the_cluster() {
    let scene = Scene::new();
    let starter = scene.holder();
    let cluster = scene.open();
    starter.leave();

    for _ in 0..2 {
        let old = reaper(&scene.folder()).expect("a reaper");
        kill_hard(old);
        eventually("another reaper", || reaper(&scene.folder()).is_some_and(|it| it != old));
    }

    cluster.close().unwrap();
    scene.falls_silent();
}

#[test]
fn a_killed_reaper_is_replaced_by_the_next_one_who_comes() {
    let scene = Scene::new();
    let first = scene.holder();
    first.freeze();
    let old = reaper(&scene.folder()).expect("a reaper");
    kill_hard(old);

    let second = scene.open();

    assert!(reaper(&scene.folder()).is_some_and(|it| it != old));
    first.kill();
    second.close().unwrap();
    scene.falls_silent();
}
