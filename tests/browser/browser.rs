//! Chromium, driven by chromedriver over the `WebDriver` protocol (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use grateful_tests::{ApiResponse, Client, Pid, Server, Value, WorkingDir, json};
use nix::sys::signal::{Signal, killpg};

/// A browser with one window and an empty profile. Dropping it ends all of its processes.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
    /// The origin of the server whose pages it shows.
    origin: String,
    /// The profile, and everything else that the browser writes.
    directory: WorkingDir,
}

/// The key of an element reference, which the protocol defines.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Without the features that look up hosts of their own at every start.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--lang=en",
];

impl Browser {
    /// Starts a browser for the pages of this server.
    ///
    /// # Panics
    ///
    /// If Chromium or its driver is not installed.
    pub(crate) async fn open(server: &Server) -> Self {
        let directory = WorkingDir::create();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .current_dir(directory.path())
            // Where the browser writes, besides its profile.
            .envs(["HOME", "TMPDIR"].map(|variable| (variable, directory.path())))
            // The browser is in the same group, so both end together.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}; see docs/testing.md#browser"));
        let port = read_port(&mut driver);
        let client = Client::new(&format!("127.0.0.1:{port}"));
        let mut browser = Self {
            driver,
            client,
            session: String::new(),
            origin: format!("http://{}", server.address()),
            directory,
        };
        browser.start_session().await;
        browser
    }

    async fn start_session(&mut self) {
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", self.directory.path().display()));
        if nix::unistd::geteuid().is_root() {
            // The sandbox of Chromium refuses root.
            arguments.push("--no-sandbox".to_owned());
        }
        let capabilities = json!({"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }});
        let body = json!({"capabilities": capabilities});
        let response = self.client.post("/session").json(&body).send().await;
        let session = value_of(&response)["sessionId"].as_str().unwrap().to_owned();
        self.session = format!("/session/{session}");
        self.resize(1280, 900).await;
    }

    /// Sends a command of the session and returns its value.
    ///
    /// # Panics
    ///
    /// If the browser answers with an error.
    pub(crate) async fn command(&self, command: &str, body: &Value) -> Value {
        self.try_command(command, body).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// As [`Self::command`], with the browser's error.
    pub(crate) async fn try_command(&self, command: &str, body: &Value) -> Result<Value, String> {
        let path = format!("{}/{command}", self.session);
        let response = self.client.post(&path).json(body).send().await;
        let value = value_of(&response);
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"])),
            None => Ok(value),
        }
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// Shows the page at a path of the server.
    pub(crate) async fn open_page(&self, path: &str) {
        self.command("url", &json!({"url": format!("{}{path}", self.origin)})).await;
    }

    /// Loads the current page again.
    pub(crate) async fn reload(&self) {
        self.command("refresh", &json!({})).await;
    }

    /// Runs the body of a function in the page. An element that it returns is a reference for [`Self::click_on`].
    pub(crate) async fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.command("execute/sync", &json!({"script": body, "args": arguments})).await
    }

    /// As [`Self::script`]; the function calls its last argument with the result.
    pub(crate) async fn script_with_callback(&self, body: &str, arguments: &[Value]) -> Value {
        self.command("execute/async", &json!({"script": body, "args": arguments})).await
    }

    /// Clicks where an element is, as a pointer does.
    pub(crate) async fn click_on(&self, element: &Value) -> Result<(), String> {
        self.try_command(&format!("element/{}/click", id_of(element)), &json!({})).await.map(drop)
    }

    /// Types into an element, key by key.
    pub(crate) async fn type_into(&self, element: &Value, text: &str) {
        self.command(&format!("element/{}/value", id_of(element)), &json!({"text": text})).await;
    }

    /// Presses and releases a key, such as `"\u{e004}"` for Tab.
    pub(crate) async fn press(&self, key: &str) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let actions = json!([{"type": "key", "id": "keyboard", "actions": keys}]);
        self.command("actions", &json!({"actions": actions})).await;
    }

    /// Chooses a file of this machine in the file input that a selector selects, also a hidden one.
    pub(crate) async fn choose_file(&self, selector: &str, path: &str) {
        let find = json!({"using": "css selector", "value": selector});
        let input = self.command("element", &find).await;
        self.type_into(&input, path).await;
    }

    /// The handles of all windows, the first one first.
    pub(crate) async fn windows(&self) -> Vec<Value> {
        let handles = self.client.get(&format!("{}/window/handles", self.session)).send().await;
        value_of(&handles).as_array().unwrap().clone()
    }

    /// Makes another window the current one.
    pub(crate) async fn switch_to(&self, window: &Value) {
        self.command("window", &json!({"handle": window})).await;
    }

    /// Sets the size of the page in CSS pixels.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size).await;
    }

    /// Sets a preference of the user, such as `prefers-color-scheme`.
    pub(crate) async fn prefer(&self, preferences: &[(&str, &str)]) {
        let features: Vec<Value> =
            preferences.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": features})).await;
    }

    /// Takes the browser off the network, or back to it.
    pub(crate) async fn set_offline(&self, is_offline: bool) {
        let network = json!({
            "offline": is_offline, "latency": 0, "download_throughput": -1, "upload_throughput": -1,
        });
        let body = json!({"network_conditions": network});
        self.command("chromium/network_conditions", &body).await;
    }

    /// A picture of the visible part of the page, as PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        let shot = self.devtools("Page.captureScreenshot", &json!({"format": "png"})).await;
        BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// A smaller picture of the visible part of the page, 1024 pixels wide, as WebP.
    pub(crate) async fn small_screenshot(&self) -> Vec<u8> {
        let view = "return [scrollX, scrollY, innerWidth, innerHeight]";
        let view = self.script(view, &[]).await;
        let scale = 1024.0 / view[2].as_f64().unwrap();
        let clip = json!({
            "x": view[0], "y": view[1], "width": view[2], "height": view[3], "scale": scale,
        });
        let parameters = json!({"format": "webp", "quality": 80, "clip": clip});
        let shot = self.devtools("Page.captureScreenshot", &parameters).await;
        BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap()
    }

    /// What the browser has reported since the last call: errors of scripts, and violations of the page's policy. Refused
    /// requests are no errors of the page.
    pub(crate) async fn take_errors(&self) -> Vec<String> {
        let entries = self.command("se/log", &json!({"type": "browser"})).await;
        let entries = entries.as_array().unwrap().iter();
        let severe = entries.filter(|entry| entry["level"] == "SEVERE");
        let messages = severe.map(|entry| entry["message"].as_str().unwrap().to_owned());
        messages.filter(|message| !message.contains("Failed to load resource")).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        _ = killpg(Pid::from_raw(self.driver.id().cast_signed()), Signal::SIGKILL);
        _ = self.driver.wait();
    }
}

/// Reads the port that chromedriver has chosen from its output, and leaves the rest of the output unread: a few lines.
fn read_port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.expect("the port of chromedriver")
}

fn value_of(response: &ApiResponse) -> Value {
    response.json()["value"].clone()
}

fn id_of(element: &Value) -> &str {
    element[ELEMENT].as_str().expect("an element")
}
