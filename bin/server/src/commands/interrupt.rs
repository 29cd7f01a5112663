//! Long commands that SIGINT or SIGTERM can end between two steps.

use anyhow::{bail, ensure};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::shutdown_signal::ShutdownSignal;

/// Says whether the command has been interrupted.
#[derive(Clone)]
pub(super) struct Interrupt {
    receiver: watch::Receiver<bool>,
    pub(super) handle: Handle,
}

impl Interrupt {
    /// # Errors
    /// The command has been interrupted.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(!*self.receiver.borrow(), "interrupted");
        Ok(())
    }

    /// Waits for asynchronous work, on the blocking thread.
    ///
    /// # Errors
    /// The command has been interrupted; the work is dropped.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        let mut receiver = self.receiver.clone();
        self.handle.block_on(async {
            tokio::select! {
                biased;
                Ok(_) = receiver.wait_for(|is_interrupted| *is_interrupted) => bail!("interrupted"),
                done = work => Ok(done),
            }
        })
    }
}

/// Runs work on a blocking thread. At the first signal, the work ends itself at its next check, and cleans up. At the second
/// one, this does not wait for it.
pub(super) async fn run_interruptible<T: Send + 'static>(
    work: impl FnOnce(Interrupt) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let mut signal = ShutdownSignal::listen()?;
    let (sender, receiver) = watch::channel(false);
    let mut work = spawn_blocking(move || work(Interrupt { receiver, handle: Handle::current() }));
    tokio::select! {
        result = &mut work => return result?,
        () = signal.wait() => { _ = sender.send(true); }
    }
    tokio::select! {
        result = &mut work => result?,
        () = signal.wait() => bail!("interrupted"),
    }
}
