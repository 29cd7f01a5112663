//! The cost of all layers of the server: `/livez`, which needs no database, against a bare actix handler that sends the
//! same body, in turn, by the same clients on the same machine.
//!
//! The server runs as released, with its log lines, metrics and default headers. The goal is 0.8.
//!
//! `cargo bench -p grateful-tests --bench liveness`; `SECONDS`, `ROUNDS` and `CONNECTIONS` set the load, and
//! `GRATEFUL_BENCH=short` runs the short form.

#[path = "../shared/load.rs"]
mod load;
#[path = "../shared/measurements.rs"]
mod measurements;
#[path = "../shared/settings.rs"]
mod settings;

use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
// For its allocator, which the bare handler uses too.
use grateful_server as _;
use grateful_tests::Setup;

use self::load::{Load, get_request};
use self::settings::setting;

const WORKERS: usize = 2;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (seconds, rounds) = (setting("SECONDS", 4.0, 0.5), setting("ROUNDS", 5, 1));
    let connections = setting("CONNECTIONS", 16, 4);
    let duration = Duration::from_secs_f64(seconds);
    let setup = Setup::with_test_database().await.env("GRATEFUL_WORKERS", WORKERS);
    let server = setup.start_with_log(Stdio::null()).await;
    let body = server.client().get("/livez").send().await.expect(200).body;
    let (bare_address, bare) = start_bare_server(body);
    let load = |address| {
        let requests = Arc::new(vec![get_request("/livez", None)]);
        Load { address, connections, requests }
    };
    let (bare_load, server_load) = (load(bare_address), load(server.address()));
    println!("{connections} connections, {WORKERS} threads, {rounds} rounds of {seconds} s");
    println!("{:>9} {:>9} {:>9} {:>9} {:>7}", "bare/s", "p99", "/livez/s", "p99", "ratio");

    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let bare = bare_load.run(duration).await;
        let livez = server_load.run(duration).await;
        let ratio = livez.per_second() / bare.per_second();
        println!(
            "{:>9.0} {:>7.2}ms {:>9.0} {:>7.2}ms {ratio:>7.2}",
            bare.per_second(),
            bare.percentile(0.99),
            livez.per_second(),
            livez.percentile(0.99),
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median {:.2}", ratios[ratios.len() / 2]);
    bare.stop(false).await;
}

/// Starts a server with one handler and nothing else. Returns its address.
fn start_bare_server(body: Vec<u8>) -> (String, ServerHandle) {
    let (sender, started) = channel();
    thread::spawn(move || {
        let body = web::Bytes::from(body);
        let app = move || {
            let body = body.clone();
            let respond = move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(body) }
            };
            App::new().route("/livez", web::get().to(respond))
        };
        let server = HttpServer::new(app).workers(WORKERS).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).expect("a free port");
        let address = server.addrs()[0].to_string();
        let server = server.run();
        sender.send((address, server.handle())).expect("a bench that waits");
        actix_web::rt::System::new().block_on(server).expect("a server that stops");
    });
    started.recv().expect("a started server")
}
