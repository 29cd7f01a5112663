//! A future that a disconnecting client does not cancel.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::Result;

use futures_util::FutureExt as _;

/// Runs a future to its end, even if the caller stops waiting. Then the rest runs in a task of its own; a future that is
/// awaited to its end needs none.
///
/// The output is an error with the payload if the future panicked.
pub(super) struct RunToCompletion<F: Future + 'static>(Option<Pin<Box<CatchUnwind<F>>>>);

type CatchUnwind<F> = futures_util::future::CatchUnwind<AssertUnwindSafe<F>>;

impl<F: Future + 'static> RunToCompletion<F> {
    pub(super) fn new(future: F) -> Self {
        Self(Some(Box::pin(AssertUnwindSafe(future).catch_unwind())))
    }
}

impl<F: Future + 'static> Future for RunToCompletion<F> {
    type Output = Result<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let poll = future.as_mut().poll(cx);
        if poll.is_ready() {
            self.0 = None;
        }
        poll
    }
}

impl<F: Future + 'static> Drop for RunToCompletion<F> {
    fn drop(&mut self) {
        if let Some(rest) = self.0.take() {
            actix_web::rt::spawn(async move { drop(rest.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// A future that waits once and then counts.
    async fn wait_and_count(count: Rc<Cell<u32>>) {
        actix_web::rt::task::yield_now().await;
        count.set(count.get() + 1);
    }

    #[actix_web::test]
    async fn a_future_that_is_dropped_half_way_runs_to_its_end_once() {
        let count = Rc::new(Cell::new(0));
        let mut future = Box::pin(RunToCompletion::new(wait_and_count(Rc::clone(&count))));
        assert!(future.as_mut().now_or_never().is_none());

        drop(future);

        assert_eq!(count.get(), 0);
        for _ in 0..3 {
            actix_web::rt::task::yield_now().await;
        }
        assert_eq!(count.get(), 1);
    }

    #[actix_web::test]
    async fn a_future_that_is_awaited_runs_once_without_a_task() {
        let count = Rc::new(Cell::new(0));

        RunToCompletion::new(wait_and_count(Rc::clone(&count))).await.unwrap();

        assert_eq!(Rc::strong_count(&count), 1);
        assert_eq!(count.get(), 1);
    }

    #[actix_web::test]
    async fn a_panic_is_an_error() {
        let result = RunToCompletion::new(async { panic!("number 7") }).await;

        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"number 7"));
    }
}
