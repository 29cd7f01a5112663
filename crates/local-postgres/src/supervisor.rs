//! Restarts PostgreSQL and the reaper when they die while a cluster is open.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Error;
use crate::cluster_context::ClusterContext;
use crate::deadline::Deadline;
use crate::file_lock::FileLock;
use crate::postmaster::{Postmaster, State};
use crate::{children, reaper, server};

const POLL_INTERVAL: Duration = Duration::from_millis(150);
/// After running this long without a failure, the backoff is reset.
const BACKOFF_RESET: Duration = Duration::from_secs(10);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// The supervisor thread. Dropping it stops the thread and leaves PostgreSQL running.
#[derive(Debug)]
pub(crate) struct Supervisor {
    thread: Option<JoinHandle<()>>,
    cancelled: Arc<AtomicBool>,
}

/// The processes that this process started and has to reap.
#[derive(Debug)]
pub(crate) struct ChildProcesses {
    pub(crate) postgres: Option<Child>,
    pub(crate) reaper: Option<Child>,
}

impl Drop for ChildProcesses {
    fn drop(&mut self) {
        self.postgres.take().into_iter().chain(self.reaper.take()).for_each(children::adopt);
    }
}

impl Supervisor {
    pub(crate) fn start(
        context: &Arc<ClusterContext>,
        children: ChildProcesses,
    ) -> Result<Self, Error> {
        let cancelled = Arc::<AtomicBool>::default();
        let worker = Worker {
            context: Arc::clone(context),
            children,
            reaper_lock: FileLock::open(context.dir.reaper_lock())?,
            cancelled: Arc::clone(&cancelled),
        };
        let thread = thread::Builder::new().name("pg-supervisor".into()).spawn(|| worker.run());
        let thread = thread.map_err(Error::io("start a supervisor for", &context.dir.path))?;
        Ok(Self { thread: Some(thread), cancelled })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// What runs on the thread.
struct Worker {
    context: Arc<ClusterContext>,
    children: ChildProcesses,
    /// Only probed here, never held.
    reaper_lock: FileLock,
    cancelled: Arc<AtomicBool>,
}

impl Worker {
    fn run(mut self) {
        let mut backoff = Backoff::default();
        while self.sleep(backoff.delay) {
            match self.find_failure() {
                Ok(None) => backoff.recover(),
                Ok(Some(failure)) => {
                    backoff.fail();
                    tracing::warn!(
                        directory = %self.context.dir.path.display(),
                        "{failure}; restarting"
                    );
                    self.try_restart(backoff.delay);
                }
                // Probably for want of file descriptors, and no reason to restart a server that may well be running.
                Err(error) => {
                    backoff.fail();
                    tracing::warn!(
                        error = error.with_causes(),
                        retry_in = ?backoff.delay,
                        "Cannot check whether PostgreSQL is running"
                    );
                }
            }
        }
    }

    fn try_restart(&mut self, retry_in: Duration) {
        if let Err(error) = self.restart()
            && !self.is_cancelled()
        {
            tracing::error!(error = error.with_causes(), ?retry_in, "PostgreSQL does not start");
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Sleeps. Returns false when the supervisor is cancelled.
    fn sleep(&self, duration: Duration) -> bool {
        if !self.is_cancelled() {
            thread::park_timeout(duration);
        }
        !self.is_cancelled()
    }

    fn find_failure(&mut self) -> Result<Option<&'static str>, Error> {
        clear_if_exited(&mut self.children.postgres);
        clear_if_exited(&mut self.children.reaper);
        let Some(server) = Postmaster::running_in(&self.context.dir.data_dir())? else {
            return Ok(Some("PostgreSQL is not running"));
        };
        Ok(match server.state {
            State::Stopping => Some("PostgreSQL is being stopped from outside"),
            State::Ready if server.has_lost_socket() => Some("the socket of PostgreSQL is gone"),
            // No matter which process started it: without a reaper, PostgreSQL would keep running after the last release.
            _ if self.reaper_lock.is_shareable().unwrap_or(false) => {
                Some("the reaper is not running")
            }
            _ => None,
        })
    }

    /// Takes the start lock, so that one of several processes restarts the server and the others find it running.
    fn restart(&mut self) -> Result<(), Error> {
        let deadline = Deadline::cancellable(&self.cancelled, START_TIMEOUT);
        let start_lock = FileLock::open(self.context.dir.start_lock())?;
        start_lock.lock_exclusive(&deadline)?;
        if let Some(reaper) = reaper::ensure_running(&self.context.dir, &self.context.account)? {
            self.children.reaper = Some(reaper);
        }
        if let Some(postgres) = server::ensure_running(&self.context, &deadline)? {
            self.children.postgres = Some(postgres);
        }
        Ok(())
    }
}

/// The delay until the next check, which grows with each failure.
struct Backoff {
    delay: Duration,
    last_failure: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { delay: POLL_INTERVAL, last_failure: None }
    }
}

impl Backoff {
    /// Doubles the delay, also when PostgreSQL starts and dies again.
    fn fail(&mut self) {
        self.last_failure = Some(Instant::now());
        self.delay = (self.delay * 2).min(MAX_BACKOFF);
    }

    fn recover(&mut self) {
        if self.last_failure.is_none_or(|last_failure| last_failure.elapsed() > BACKOFF_RESET) {
            self.delay = POLL_INTERVAL;
        }
    }
}

/// Drops a child process that has exited and was reaped.
fn clear_if_exited(child: &mut Option<Child>) {
    if child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
        *child = None;
    }
}
