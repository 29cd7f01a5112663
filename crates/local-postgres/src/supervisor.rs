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
        let mut backoff = POLL_INTERVAL;
        let mut last_failure = None::<Instant>;
        while self.sleep(backoff) {
            let Some(failure) = self.find_failure() else {
                if last_failure.is_none_or(|last_failure| last_failure.elapsed() > BACKOFF_RESET) {
                    backoff = POLL_INTERVAL;
                }
                continue;
            };
            last_failure = Some(Instant::now());
            tracing::warn!(
                directory = %self.context.dir.path.display(),
                "{failure}; restarting"
            );
            // Doubled on every failure, also when PostgreSQL starts and dies again.
            backoff = (backoff * 2).min(MAX_BACKOFF);
            if let Err(error) = self.restart()
                && !self.is_cancelled()
            {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(error, retry_in = ?backoff, "PostgreSQL does not start");
            }
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

    fn find_failure(&mut self) -> Option<&'static str> {
        clear_if_exited(&mut self.children.postgres);
        clear_if_exited(&mut self.children.reaper);
        match Postmaster::running_in(&self.context.dir.data_dir()).map(|server| server.state) {
            None => Some("PostgreSQL is not running"),
            Some(State::Stopping) => Some("PostgreSQL is being stopped from outside"),
            // No matter which process started it: without a reaper, PostgreSQL would keep running after the last release.
            _ if self.reaper_lock.is_shareable().unwrap_or(false) => {
                Some("the reaper is not running")
            }
            _ => None,
        }
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

/// Drops a child process that has exited and was reaped.
fn clear_if_exited(child: &mut Option<Child>) {
    if child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
        *child = None;
    }
}
