//! What the server reports to systemd, whose side a socket of the test takes.

use std::os::unix::net::UnixDatagram;

use grateful_tests::{Setup, TIMEOUT, eventually};

/// The receiving end of the notifications, and the setup of a server that sends them there.
struct Manager {
    socket: UnixDatagram,
    setup: Setup,
}

impl Manager {
    async fn create() -> Self {
        let setup = Setup::with_test_database().await;
        let path = setup.working_dir().path().join("notify.sock");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        let setup = setup.env("NOTIFY_SOCKET", path.to_str().unwrap());
        Self { socket, setup }
    }

    /// The next notification.
    fn next(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    /// The next notifications up to the one with this line.
    fn until(&self, line: &str) -> Vec<String> {
        let mut messages = Vec::new();
        while !messages.last().is_some_and(|message: &String| message.lines().any(|l| l == line)) {
            messages.push(self.next());
        }
        messages
    }
}

#[tokio::test]
async fn the_service_manager_learns_when_the_server_serves_and_when_it_stops() {
    let manager = Manager::create().await;
    let mut server = manager.setup.spawn();

    assert_eq!(manager.next(), "STATUS=Migrating the database\n");
    let ready = manager.next();
    // Read before the address, which the server has printed by then.
    server.wait_until_ready().await;
    let address = server.address();
    assert_eq!(ready, format!("READY=1\nSTATUS=Serving http://{address}\n"));
    server.client().get("/readyz").send().await.expect(200);

    server.terminate();
    assert_eq!(manager.next(), "STOPPING=1\nSTATUS=Finishing requests in flight\n");
    assert!(server.wait_for_exit().await.success());
}

#[tokio::test]
async fn the_watchdog_is_fed_while_the_server_answers_its_own_requests() {
    let manager = Manager::create().await;
    let setup = manager.setup.clone().env("WATCHDOG_USEC", "600000");
    let mut server = setup.spawn();
    manager.until("READY=1");
    server.wait_until_ready().await;

    for _ in 0..5 {
        manager.until("WATCHDOG=1");
    }
    // Each is the answer to a request of the server to itself.
    eventually("five requests are logged", || {
        server.log_as_json().iter().filter(|line| line["http.route"] == "/livez").count() >= 5
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_become_ready_does_not_say_that_it_is() {
    let manager = Manager::create().await;
    let setup =
        manager.setup.clone().env("DATABASE_URL", "postgresql://grateful@127.0.0.1:9/grateful");

    let output = setup.run(&["serve"]);

    assert_eq!(output.code, Some(1), "{}", output.stderr);
    manager.socket.set_nonblocking(true).unwrap();
    let mut messages = Vec::new();
    let mut message = [0; 4096];
    while let Ok(length) = manager.socket.recv(&mut message) {
        messages.push(String::from_utf8(message[..length].to_vec()).unwrap());
    }
    assert_eq!(messages, ["STATUS=Migrating the database\n"]);
}
