//! One server of a replicated cluster.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use super::NodeOptions;
use crate::account::Account;
use crate::cluster_context::ClusterContext;
use crate::cluster_dir::ClusterDir;
use crate::command::run;
use crate::deadline::Deadline;
use crate::file_lock::FileLock;
use crate::installation::InstallationSearch;
use crate::postmaster::Postmaster;
use crate::processes::{cpu_time, is_stopped, server_processes};
use crate::startup_guard::StartupGuard;
use crate::supervisor::ChildProcesses;
use crate::{Error, children, create, reaper, server, url};

/// How long a server may take to start, to stop, or to reach another state.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Replication, in place of the settings of a throwaway cluster that rule it out.
const REPLICATION_SETTINGS: &[&str] = &[
    "wal_level=replica",
    "max_wal_senders=8",
    "hot_standby=on",
    "hot_standby_feedback=on",
    "wal_receiver_status_interval=1s",
    "wal_retrieve_retry_interval=100ms",
    "shared_buffers=32MB",
];

/// One server of a [`ReplicatedCluster`](super::ReplicatedCluster).
#[derive(Debug)]
pub struct Node {
    context: ClusterContext,
    children: Mutex<ChildProcesses>,
    _users_lock: FileLock,
}

impl Node {
    /// Creates a server without starting it.
    pub(super) fn create(
        name: &str,
        options: &NodeOptions,
        has_standbys: bool,
    ) -> Result<Self, Error> {
        let mut settings: Vec<String> =
            REPLICATION_SETTINGS.iter().map(ToString::to_string).collect();
        if has_standbys {
            settings.push("synchronous_standby_names=ANY 1 (*)".to_owned());
        }
        settings.extend(options.settings.iter().cloned());
        let node = Self::prepare(name, settings)?;
        create::create(&node.context, None)?;
        for (name, content) in &options.files {
            node.write_file(name, content)?;
        }
        Ok(node)
    }

    /// Takes the directory and its locks, so that the server is stopped and removed when this process ends.
    fn prepare(name: &str, settings: Vec<String>) -> Result<Self, Error> {
        let account = Account::choose()?;
        let dir = ClusterDir::throwaway(name, &account);
        let guard = StartupGuard::acquire(&dir, &account)?;
        let reaper = reaper::ensure_running(&dir, &account)?;
        let installation = InstallationSearch::system().find_for_data(&dir, &account)?;
        let socket_dir = dir.socket_dir(&account);
        let context = ClusterContext {
            dir,
            account,
            installation,
            socket_dir,
            max_connections: 100,
            settings,
        };
        let children = Mutex::new(ChildProcesses { postgres: None, reaper });
        Ok(Self { context, children, _users_lock: guard.users_lock })
    }

    /// Creates a standby from the files of this server, which does not run.
    pub(super) fn copy(&self, name: &str) -> Result<Self, Error> {
        let copy = Self::prepare(name, self.context.settings.clone())?;
        let mut cp = self.context.account.command("/bin/cp", Path::new("/"));
        run(cp
            .arg("-R")
            .arg("-p")
            .arg(self.context.dir.data_dir())
            .arg(copy.context.dir.data_dir()))?;
        copy.write_file("standby.signal", b"")?;
        Ok(copy)
    }

    pub(super) fn start(&self) -> Result<(), Error> {
        let started = server::ensure_running(&self.context, &Deadline::after(TIMEOUT))?;
        self.children.lock().unwrap_or_else(std::sync::PoisonError::into_inner).postgres = started;
        Ok(())
    }

    /// Stops the server and waits for it.
    pub(super) fn stop(&self) -> Result<(), Error> {
        self.signal_postmaster(Signal::SIGINT)?;
        self.wait_for_end()
    }

    /// The connection URL of `database` on this server alone.
    pub fn url(&self, database: &str) -> String {
        url::connection_url(&self.context.socket_dir, database)
    }

    /// The data directory.
    pub fn data_dir(&self) -> std::path::PathBuf {
        self.context.dir.data_dir()
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.context.socket_dir
    }

    /// Stops applying what the primary sends. The server still receives and acknowledges it, but reads see the old state.
    pub fn pause_replay(&self) -> Result<(), Error> {
        self.query("SELECT pg_wal_replay_pause()")?;
        self.wait_for_answer("SELECT pg_get_wal_replay_pause_state()", "paused")
    }

    /// Applies what was received in the meantime, and what comes.
    pub fn resume_replay(&self) -> Result<(), Error> {
        self.query("SELECT pg_wal_replay_resume()").map(drop)
    }

    /// How many bytes of the log the server has received, or written itself, since the beginning.
    pub fn received_bytes(&self) -> Result<u64, Error> {
        let position = "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()
            THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
            ELSE pg_current_wal_lsn() END, '0/0')";
        Ok(self.query(position)?.parse().unwrap_or_default())
    }

    /// The processor time of all processes of the server, those that have ended included.
    pub fn cpu_time(&self) -> Result<Duration, Error> {
        let times = self.processes()?.into_iter().map(cpu_time);
        times
            .sum::<std::io::Result<Duration>>()
            .map_err(Error::io("find the processor time of", &self.data_dir()))
    }

    /// Kills all processes of the server at once, as when its machine fails.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal_all(Signal::SIGKILL)?;
        self.wait_for_end()
    }

    /// Kills one process of the server. The server then ends the sessions of all clients and recovers, which empties unlogged
    /// tables. Returns when it accepts connections again.
    pub fn crash(&self) -> Result<(), Error> {
        let checkpointer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
        let victim = self.query(checkpointer)?;
        if let Ok(pid) = victim.parse() {
            _ = kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
        self.wait_until("recovered", || {
            Ok(self.query(checkpointer).is_ok_and(|pid| !pid.is_empty() && pid != victim))
        })
    }

    /// Stops all processes of the server from running. Its connections stay open, and new ones are accepted by the kernel,
    /// but nothing answers.
    pub fn freeze(&self) -> Result<(), Error> {
        self.wait_until("frozen", || {
            self.signal_all(Signal::SIGSTOP)?;
            let stopped = self.processes()?.into_iter().map(is_stopped);
            let stopped: Result<Vec<bool>, _> = stopped.collect();
            let stopped = stopped.map_err(Error::io("find the state of", &self.data_dir()))?;
            Ok(stopped.into_iter().all(|is_stopped| is_stopped))
        })
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) -> Result<(), Error> {
        self.signal_all(Signal::SIGCONT)
    }

    /// Makes a standby a primary, and waits until it accepts writes.
    pub fn promote(&self) -> Result<(), Error> {
        self.query("SELECT pg_promote(true, 60)")?;
        self.wait_for_answer("SELECT pg_is_in_recovery()", "f")
    }

    /// Restarts a primary as a standby of another server. It does not receive anything if it has written what that server has
    /// not.
    pub fn demote(&self, primary: &Self) -> Result<(), Error> {
        self.stop()?;
        self.write_file("standby.signal", b"")?;
        self.configure_primary(primary)?;
        self.start()?;
        self.wait_for_answer("SELECT pg_is_in_recovery()", "t")
    }

    /// Waits until a standby has replayed everything that a primary has written until now.
    pub fn wait_until_replayed(&self, primary: &Self) -> Result<(), Error> {
        let written = primary.query("SELECT pg_current_wal_flush_lsn()")?;
        self.wait_for_answer(&format!("SELECT pg_last_wal_replay_lsn() >= '{written}'"), "t")
    }

    /// Makes a standby receive from another server.
    pub fn follow(&self, primary: &Self) -> Result<(), Error> {
        self.configure_primary(primary)?;
        self.signal_postmaster(Signal::SIGHUP)?;
        self.wait_until_streaming()
    }

    pub(super) fn configure_primary(&self, primary: &Self) -> Result<(), Error> {
        let socket_dir = primary.context.socket_dir.display();
        let setting = format!("primary_conninfo = 'host={socket_dir} user=grateful'\n");
        self.write_file("postgresql.auto.conf", setting.as_bytes())
    }

    pub(super) fn wait_until_streaming(&self) -> Result<(), Error> {
        self.wait_for_answer("SELECT status FROM pg_stat_wal_receiver", "streaming")
    }

    fn wait_for_answer(&self, question: &str, answer: &str) -> Result<(), Error> {
        self.wait_until(answer, || Ok(self.query(question)? == answer))
    }

    fn wait_for_end(&self) -> Result<(), Error> {
        self.wait_until("ended", || {
            children::reap();
            let mut children =
                self.children.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(postgres) = &mut children.postgres {
                _ = postgres.try_wait();
            }
            Ok(self.processes()?.is_empty())
        })
    }

    fn wait_until(
        &self,
        state: &str,
        holds: impl Fn() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let deadline = Deadline::after(TIMEOUT);
        while !holds()? {
            if !deadline.wait() {
                return Err(self.context.not_ready(&format!("is not {state} in time")));
            }
        }
        Ok(())
    }

    /// Runs a statement with `psql` and returns its output.
    fn query(&self, sql: &str) -> Result<String, Error> {
        let mut psql = self.context.program("psql");
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "grateful", "-d", "postgres", "-h"]);
        psql.arg(&self.context.socket_dir).args(["-c", sql]);
        let output = run(&mut psql)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn signal_postmaster(&self, signal: Signal) -> Result<(), Error> {
        if let Some(server) = Postmaster::running_in(&self.data_dir())? {
            _ = kill(server.pid, signal);
        }
        Ok(())
    }

    fn signal_all(&self, signal: Signal) -> Result<(), Error> {
        for process in self.processes()? {
            _ = kill(process, signal);
        }
        Ok(())
    }

    fn processes(&self) -> Result<Vec<nix::unistd::Pid>, Error> {
        let data_dir = self.data_dir();
        server_processes(&data_dir).map_err(Error::io("find the processes that work in", &data_dir))
    }

    /// Writes a file into the data directory, as the account that runs the server.
    fn write_file(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt as _;

        let path = self.data_dir().join(name);
        fs::write(&path, content).map_err(Error::io("write", &path))?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, private).map_err(Error::io("restrict access to", &path))?;
        self.context.account.take_ownership(&path)
    }
}

impl Drop for Node {
    /// A process that does not run cannot stop, which its reaper would wait for.
    fn drop(&mut self) {
        _ = self.thaw();
    }
}
