//! Reads on replicas that lag, stand still or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_local_postgres::{Node, ReplicatedCluster};
use grateful_tests::{
    ApiResponse, Client, Server, Setup, SqlConnection, TIMEOUT, Token, Value, json,
};

const DATABASE: &str = "postgres";

/// So long that a replica that stands still counts as fresh throughout a test: then only marks protect from it.
const LENIENT: u32 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_has_written_is_visible_on_every_node_while_a_replica_stands_still() {
    const WRITERS: usize = 10;
    const ROUNDS: usize = 10;
    let rig = Rig::start("own writes", LENIENT).await;
    let (writers, readers) =
        (rig.sign_up("writer", WRITERS).await, rig.sign_up("reader", 10).await);
    let [first, _] = &rig.servers;
    let post =
        first.client().create_post(&writers[0].first, "For all.").send().await.expect(201).id();
    rig.wait_until_replicas_serve().await;
    let [paused, running] = rig.standbys();
    paused.wait_until_replayed(rig.primary()).unwrap();
    paused.pause_replay().unwrap();
    let before = rig.reads().await;

    let start = Instant::now();
    let writing = writers.iter().enumerate().map(|(number, writer)| {
        let (rig, post, others) = (&rig, &post, &writers);
        async move {
            for round in 0..ROUNDS {
                let other = &others[(number + 1 + round % (WRITERS - 1)) % WRITERS];
                write_and_read(rig, writer, other, post, round).await;
            }
        }
    });
    join_all(writing).await;
    let duration = start.elapsed();
    for reader in &readers {
        for server in &rig.servers {
            server
                .client()
                .get(&format!("/api/v1/posts/{post}"))
                .by(&reader.first)
                .send()
                .await
                .expect(200);
        }
    }

    let reads = rig.reads_since(&before).await;
    println!("{} writes, each read on two nodes: {duration:?}, {reads:?}", 5 * WRITERS * ROUNDS);
    assert!(0 < reads["primary mark"], "writers whose replica stands still");
    for replica in [paused, running] {
        let reads = reads.get(&format!("{} replayed", name(replica)));
        assert!(reads.is_some_and(|reads| 0 < *reads), "users who have written nothing read there");
    }
}

/// Each kind of write on one node, and the read of it at once on the other node and by another session on the same.
async fn write_and_read(rig: &Rig, writer: &Writer, other: &Writer, post: &str, round: usize) {
    let [one, two] = if round.is_multiple_of(2) { [0, 1] } else { [1, 0] };
    let write_client = rig.clients[one].clone();
    let api = "/api/v1";
    let read = async |path: &str, sees: &dyn Fn(&ApiResponse) -> bool| {
        for (client, token) in
            [(&rig.clients[two], &writer.first), (&rig.clients[one], &writer.second)]
        {
            let response = client.get(&format!("{api}{path}")).by(token).send().await;
            assert!(sees(&response), "stale: {path} {response}");
        }
    };
    let token = &writer.first;

    let own = write_client.create_post(token, "For me.").send().await.expect(201).id();
    read(&format!("/posts/{own}"), &|response| response.status == 200).await;

    let heart = format!("{api}/posts/{post}/heart");
    let is_first = round.is_multiple_of(2);
    let request = if is_first { write_client.post(&heart) } else { write_client.delete(&heart) };
    request.by(token).send().await.expect(if is_first { 201 } else { 200 });
    read(&format!("/posts/{post}/hearts"), &|response| json_of(response)["is_hearted"] == is_first)
        .await;

    let text = json!({"content": "Lovely"});
    let comment = write_client.post(&format!("{api}/posts/{own}/comments")).by(token).json(&text);
    let comment = json_of(&comment.send().await.expect(201))["id"].as_str().unwrap().to_owned();
    read(&format!("/posts/{own}/comments"), &|response| text_of(response).contains(&comment)).await;

    let follow = format!("{api}/follows/{}", other.id);
    let was_following =
        write_client.get(&format!("{follow}/status")).by(token).send().await.expect(200);
    let was_following = json_of(&was_following)["is_following"] == true;
    let request =
        if was_following { write_client.delete(&follow) } else { write_client.post(&follow) };
    let response = request.by(token).send().await;
    assert!(response.status < 300, "{response}");
    let is_seen = |response: &ApiResponse| json_of(response)["is_following"] != was_following;
    read(&format!("/follows/{}/status", other.id), &is_seen).await;

    let bio = format!("Round {round}");
    let edit =
        write_client.put(&format!("{api}/users/me/profile")).by(token).json(&json!({"bio": bio}));
    edit.send().await.expect(200);
    read("/users/me/profile", &|response| text_of(response).contains(&bio)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_are_too_far_behind_serve_no_reads_until_they_have_caught_up() {
    let rig = Rig::start("stale", 500).await;
    let writer = &rig.sign_up("writer", 1).await[0];
    let [client, _] = &rig.clients;
    let post = client.create_post(&writer.first, "For all.").send().await.expect(201).id();
    rig.wait_until_replicas_serve().await;
    rig.pause_replay();
    client.create_post(&writer.first, "Not replayed.").send().await.expect(201);

    let paused = Instant::now();
    let mut last_on_replica = Duration::ZERO;
    while paused.elapsed() < Duration::from_millis(1_500) {
        if rig.is_served_by_replica(&post).await {
            last_on_replica = paused.elapsed();
        }
    }
    rig.resume_replay();
    let resumed = Instant::now();
    while !rig.is_served_by_replica(&post).await {
        assert!(resumed.elapsed() < TIMEOUT, "no replica is used again");
    }
    let recovery = resumed.elapsed();

    println!(
        "stale replicas: the last read {last_on_replica:?} after the pause, the first {recovery:?} after it"
    );
    assert!(last_on_replica < Duration::from_millis(700), "{last_on_replica:?}");
    // Twice what it may take on an idle machine.
    assert!(recovery < Duration::from_secs(2), "{recovery:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_is_refused_at_once_while_the_replicas_stand_still() {
    const SESSIONS: usize = 200;
    let rig = Rig::start("sessions", LENIENT).await;
    let user = &rig.sign_up("ana", 1).await[0];
    let tokens = rig.insert_sessions(user, SESSIONS).await;
    let sql = SqlConnection::connect(&rig.primary().url(DATABASE)).await;
    let path = "/api/v1/users/me/profile";
    // Known on both nodes, so that reads start before the look-up has ended.
    for token in &tokens {
        for client in &rig.clients {
            client.get(path).by(token).send().await.expect(200);
        }
    }
    rig.wait_until_replicas_serve().await;
    rig.pause_replay();

    for (number, token) in tokens.iter().enumerate() {
        let [one, two] = if number.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        if number.is_multiple_of(4) {
            let of_token = format!("WHERE token_hash = sha256('{}')", token.0);
            let id = sql.run(&format!("SELECT id FROM sessions {of_token}")).await;
            let path = format!("/api/v1/auth/sessions/{id}");
            rig.clients[one].delete(&path).by(&user.first).send().await.expect(200);
        } else {
            rig.clients[one].post("/api/v1/auth/logout").by(token).send().await.expect(200);
        }
        rig.clients[two]
            .get(path)
            .by(token)
            .send()
            .await
            .expect_problem(401, "authentication_error");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_writes_are_seen_after_a_crash_that_has_emptied_the_marks() {
    const POSTS: usize = 20;
    let rig = Rig::start("crash", LENIENT).await;
    let writers = rig.sign_up("writer", 10).await;
    rig.wait_until_replicas_serve().await;
    rig.pause_replay();
    let writing = writers.iter().map(|writer| async {
        let mut posts = Vec::new();
        for number in 0..POSTS {
            let client = &rig.clients[number % 2];
            posts.push(client.create_post(&writer.first, "For me.").send().await.expect(201).id());
        }
        posts
    });
    let posts = join_all(writing).await;

    rig.primary().crash().unwrap();
    let sql = SqlConnection::connect(&rig.primary().url(DATABASE)).await;
    assert_eq!(sql.run("SELECT count(*) FROM marks").await, "0");
    let before = rig.reads().await;

    for (writer, posts) in writers.iter().zip(&posts) {
        for (number, post) in posts.iter().enumerate() {
            let path = format!("/api/v1/posts/{post}");
            let response = rig.get_when_available(number % 2, &path, &writer.second).await;
            response.expect(200);
        }
    }
    assert!(0 < rig.reads_since(&before).await["primary mark"]);
    rig.resume_replay();
    rig.wait_until_replicas_serve().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_when_a_replica_is_killed_or_freezes() {
    let rig = Rig::start("killed replica", 500).await;
    let users = rig.sign_up("ana", 8).await;
    let post =
        rig.clients[0].create_post(&users[0].first, "For all.").send().await.expect(201).id();
    rig.wait_until_replicas_serve().await;
    let [killed, frozen] = rig.standbys();
    let path = format!("/api/v1/posts/{post}");

    for (fault, replica) in [("killed", killed), ("frozen", frozen)] {
        let faulty = async {
            tokio::task::block_in_place(|| match fault {
                "killed" => replica.kill(),
                _ => replica.freeze(),
            })
            .unwrap();
            Instant::now()
        };
        let reading = users.iter().map(|user| {
            let (client, path, token) = (rig.clients[0].clone(), path.clone(), user.first.clone());
            async move {
                let (start, mut longest, mut reads) = (Instant::now(), Duration::ZERO, 0);
                while start.elapsed() < Duration::from_secs(3) {
                    let sent = Instant::now();
                    client.get(&path).by(&token).send().await.expect(200);
                    client.get(&path).send().await.expect(200);
                    longest = longest.max(sent.elapsed());
                    reads += 2;
                }
                (longest, reads)
            }
        });
        let (results, _) = futures_util::join!(join_all(reading), faulty);
        let longest = results.iter().map(|(longest, _)| *longest).max().unwrap();
        let reads: u32 = results.iter().map(|(_, reads)| reads).sum();
        println!("a replica is {fault}: {reads} reads, none failed, the longest two {longest:?}");
        assert!(longest < Duration::from_secs(2), "{fault}: {longest:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reader_sees_never_goes_back_in_time_over_two_nodes() {
    const READS: usize = 300;
    let rig = Rig::start("monotonic", LENIENT).await;
    let (writers, readers) = (rig.sign_up("writer", 1).await, rig.sign_up("reader", 6).await);
    let writer = writers[0].first.clone();
    rig.clients[0].create_post(&writer, "Number 0").send().await.expect(201);
    rig.wait_until_replicas_serve().await;
    // So the replicas differ by more than a moment.
    let [paused, running] = rig.standbys();
    for standby in [paused, running] {
        standby.wait_until_replayed(rig.primary()).unwrap();
    }
    paused.pause_replay().unwrap();
    let before = rig.reads().await;
    let (client, stop) = (rig.clients[0].clone(), tokio::sync::Notify::new());

    let writing = async {
        let posts = async {
            for number in 1.. {
                client.create_post(&writer, &format!("Number {number}")).send().await.expect(201);
            }
        };
        futures_util::future::select(Box::pin(posts), Box::pin(stop.notified())).await;
    };
    let reading = async {
        let newest = readers.iter().map(|reader| read_newest(&rig, reader, READS / readers.len()));
        let newest = join_all(newest).await;
        stop.notify_one();
        newest
    };
    let (newest, ()) = futures_util::join!(reading, writing);

    assert!(newest.iter().any(|newest| 0 < *newest), "a reader has seen new posts");
    let reads = rig.reads_since(&before).await;
    for replica in [paused, running] {
        assert!(reads.contains_key(&format!("{} replayed", name(replica))), "{reads:?}");
    }
}

/// Reads the newest post on both nodes in turn. Returns its last number.
async fn read_newest(rig: &Rig, reader: &Writer, reads: usize) -> u32 {
    let mut newest = 0;
    for number in 0..reads {
        let client = &rig.clients[number % 2];
        let path = "/api/v1/posts/feed?algorithm=false&limit=1";
        let response = client.get(path).by(&reader.first).send().await.expect(200);
        let content = response.json()[0]["content"].as_str().unwrap().to_owned();
        let seen: u32 = content.trim_start_matches("Number ").parse().unwrap();
        assert!(newest <= seen, "{seen} after {newest}");
        newest = seen;
    }
    newest
}

/// A primary with two standbys, and two nodes that read there.
struct Rig {
    servers: [Server; 2],
    clients: [Client; 2],
    cluster: ReplicatedCluster,
}

/// A user with two sessions.
struct Writer {
    id: String,
    first: Token,
    second: Token,
}

impl Rig {
    /// Starts it. Replicas may be stale for this number of milliseconds.
    async fn start(name: &str, max_staleness: u32) -> Self {
        let cluster = ReplicatedCluster::throwaway(name, 2).unwrap();
        let urls: Vec<String> =
            cluster.nodes()[1..].iter().map(|node| node.url(DATABASE)).collect();
        let setup = Setup::with_database_url(&cluster.url(DATABASE))
            .env("GRATEFUL_REPLICA_URLS", &*urls.join(","))
            .env("GRATEFUL_REPLICA_STALENESS_MS", max_staleness);
        let servers = [setup.start().await, setup.start().await];
        let clients = [servers[0].client(), servers[1].client()];
        Self { servers, clients, cluster }
    }

    fn primary(&self) -> &Node {
        &self.cluster.nodes()[0]
    }

    fn standbys(&self) -> [&Node; 2] {
        [&self.cluster.nodes()[1], &self.cluster.nodes()[2]]
    }

    fn pause_replay(&self) {
        self.standbys().iter().for_each(|standby| standby.pause_replay().unwrap());
    }

    fn resume_replay(&self) {
        self.standbys().iter().for_each(|standby| standby.resume_replay().unwrap());
    }

    /// Creates users with two sessions each. The second one is inserted, since a login takes long.
    async fn sign_up(&self, name: &str, count: usize) -> Vec<Writer> {
        let mut users = Vec::new();
        for number in 0..count {
            let first = self.clients[0].sign_up(&format!("{name}{number}")).await;
            let session = self.clients[0].get_session(&first).send().await.expect(200);
            let id = session.data()["id"].to_string();
            let user = Writer { id, second: first.clone(), first };
            let second = self.insert_sessions(&user, 1).await.remove(0);
            users.push(Writer { second, ..user });
        }
        users
    }

    /// Inserts sessions of a user, and returns their tokens.
    async fn insert_sessions(&self, user: &Writer, count: usize) -> Vec<Token> {
        let sql = SqlConnection::connect(&self.primary().url(DATABASE)).await;
        let tokens = sql
            .query_column(&format!(
                "WITH tokens AS MATERIALIZED (
                     SELECT translate(encode(sha256(gen_random_uuid()::text::bytea), 'base64'), '+/=', '-_') AS token
                     FROM generate_series(1, {count})
                 ), inserted AS (
                     INSERT INTO sessions (id, user_id, token_hash, created_at, last_used_at, expires_at)
                     SELECT gen_random_uuid(), {}, sha256(token::bytea), now(), now(), now() + interval '1 day' FROM tokens
                 )
                 SELECT token FROM tokens",
                user.id
            ))
            .await;
        tokens.into_iter().map(Token).collect()
    }

    /// How many reads ran on each server of the database, and why there, on both nodes together.
    async fn reads(&self) -> BTreeMap<String, u64> {
        let mut reads = BTreeMap::new();
        for client in &self.clients {
            let page = client.get("/metrics").send().await.expect(200);
            let page = String::from_utf8(page.body).unwrap();
            for line in page.lines().filter_map(|line| line.strip_prefix("grateful_reads_total{")) {
                let (labels, count) = line.rsplit_once("} ").unwrap();
                let label = |name: &str| {
                    let (_, value) = labels.split_once(&format!("{name}=\"")).unwrap();
                    value.split('"').next().unwrap().to_owned()
                };
                let count: u64 = count.parse().unwrap();
                *reads.entry(format!("{} {}", label("server"), label("why"))).or_default() += count;
            }
        }
        reads
    }

    /// The reads since then, without those that have not grown.
    async fn reads_since(&self, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let mut reads = self.reads().await;
        for (name, count) in &mut reads {
            *count -= before.get(name).copied().unwrap_or_default();
        }
        reads.retain(|_, count| 0 < *count);
        reads
    }

    /// Waits until both nodes read on both replicas, and marks are known.
    async fn wait_until_replicas_serve(&self) {
        let start = Instant::now();
        for client in &self.clients {
            let mut servers = BTreeSet::new();
            while servers.len() < 2 {
                assert!(start.elapsed() < TIMEOUT, "the replicas serve no reads: {servers:?}");
                let before = self.reads().await;
                client.get(NO_POST).send().await.expect(404);
                let reads = self.reads_since(&before).await;
                servers.extend(reads.into_keys().filter(|name| name.ends_with(" replayed")));
            }
        }
    }

    /// Whether a read of a guest, who has written nothing, runs on a replica.
    async fn is_served_by_replica(&self, post: &str) -> bool {
        let before = self.reads().await;
        self.clients[0].get(&format!("/api/v1/posts/{post}")).send().await.expect(200);
        self.reads_since(&before).await.keys().all(|name| name.ends_with(" replayed"))
    }

    /// Sends a request again as long as the database is not available.
    async fn get_when_available(&self, node: usize, path: &str, user: &Token) -> ApiResponse {
        let start = Instant::now();
        loop {
            let response = self.clients[node].get(path).by(user).send().await;
            if response.status != 503 {
                return response;
            }
            assert!(start.elapsed() < TIMEOUT, "{response}");
        }
    }
}

/// The body, without its envelope if it has one.
fn json_of(response: &ApiResponse) -> Value {
    let body = response.json();
    body.get("data").cloned().unwrap_or(body)
}

fn text_of(response: &ApiResponse) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

/// A post that does not exist. Only a replica or the primary can know that.
const NO_POST: &str = "/api/v1/posts/00000000-0000-7000-8000-000000000000";

/// The name of a server in the metrics: the directory of its socket.
fn name(node: &Node) -> String {
    let url = node.url(DATABASE);
    let (_, host) = url.split_once('@').unwrap();
    let (host, _) = host.rsplit_once('/').unwrap();
    host.replace("%2F", "/")
}
