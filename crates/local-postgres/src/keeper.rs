//! Watches over PostgreSQL while a cluster is open, and starts it again when it died.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Error;
use crate::lock::Lock;
use crate::patience::Patience;
use crate::postmaster::{Postmaster, State};
use crate::site::Site;
use crate::{children, reaper, server};

const GLANCE: Duration = Duration::from_millis(150);
/// After so long without trouble, the next is a new one.
const STEADY: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const START: Duration = Duration::from_mins(1);

/// The thread that watches. Stopping it leaves PostgreSQL as it is.
#[derive(Debug)]
pub(crate) struct Keeper {
    thread: Option<JoinHandle<()>>,
    unwanted: Arc<AtomicBool>,
}

/// What this process started and so has to wait for.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) postgres: Option<Child>,
    pub(crate) reaper: Option<Child>,
}

impl Drop for Started {
    fn drop(&mut self) {
        self.postgres.take().into_iter().chain(self.reaper.take()).for_each(children::leave);
    }
}

impl Keeper {
    pub(crate) fn watch(site: &Arc<Site>, started: Started) -> Result<Self, Error> {
        let unwanted = Arc::<AtomicBool>::default();
        let reaper = Lock::open(site.home.reaper_lock())?;
        let (site, flag) = (Arc::clone(site), Arc::clone(&unwanted));
        let folder = site.home.path.clone();
        let watch = Watch { site, started, reaper, unwanted: flag };
        let thread = thread::Builder::new().name("postgres-keeper".into()).spawn(|| watch.run());
        let thread = Some(thread.map_err(Error::io("watch over", &folder))?);
        Ok(Self { thread, unwanted })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

struct Watch {
    site: Arc<Site>,
    started: Started,
    /// Never taken here, only looked at.
    reaper: Lock,
    unwanted: Arc<AtomicBool>,
}

impl Watch {
    fn run(mut self) {
        let mut pause = GLANCE;
        let mut last = None::<Instant>;
        while self.sleep(pause) {
            let Some(trouble) = self.trouble() else {
                if last.is_none_or(|last| last.elapsed() > STEADY) {
                    pause = GLANCE;
                }
                continue;
            };
            last = Some(Instant::now());
            tracing::warn!(folder = %self.site.home.path.display(), "{trouble}; starting it again");
            // Longer and longer, also when it starts and dies again.
            pause = (pause * 2).min(LONGEST_PAUSE);
            if let Err(error) = self.revive()
                && !self.unwanted.load(Ordering::Relaxed)
            {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(error, retry_in = ?pause, "PostgreSQL does not start");
            }
        }
    }

    /// Sleeps; false when the watch is over.
    fn sleep(&self, pause: Duration) -> bool {
        let over = || self.unwanted.load(Ordering::Relaxed);
        if !over() {
            thread::park_timeout(pause);
        }
        !over()
    }

    fn trouble(&mut self) -> Option<&'static str> {
        bury(&mut self.started.postgres);
        bury(&mut self.started.reaper);
        match Postmaster::of(&self.site.home.data()).map(|server| server.state) {
            None => Some("PostgreSQL is gone"),
            Some(State::Stopping) => Some("somebody stops PostgreSQL"),
            // Whoever started it: without one, nobody would stop the server behind us.
            _ if self.reaper.is_shareable().unwrap_or(false) => Some("the reaper is gone"),
            _ => None,
        }
    }

    /// Under the start lock, so that of several processes one starts it and the others find it running.
    fn revive(&mut self) -> Result<(), Error> {
        let patience = Patience::unless(&self.unwanted, START);
        let lock = Lock::open(self.site.home.start_lock())?;
        lock.exclusive(&patience)?;
        if let Some(reaper) = reaper::ensure(&self.site.home, &self.site.account)? {
            self.started.reaper = Some(reaper);
        }
        if let Some(postgres) = server::ensure(&self.site, &patience)? {
            self.started.postgres = Some(postgres);
        }
        Ok(())
    }
}

/// Forgets a process that we started once it has ended and was waited for.
fn bury(child: &mut Option<Child>) {
    if child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
        *child = None;
    }
}
