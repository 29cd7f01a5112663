//! Users who add and remove hearts through the use cases, as a server runs them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::{App, Error, Resource, hearts};
use grateful_domain::{PostId, UserId};

use crate::USERS;
use crate::dataset::Dataset;
use crate::measurements::Measurements;

/// The load. Each thread has its own runtime and connection pool.
pub(crate) struct HeartLoad<'w> {
    pub(crate) dataset: &'w Dataset,
    pub(crate) threads: usize,
    pub(crate) connections: usize,
    pub(crate) posts: usize,
}

impl HeartLoad<'_> {
    pub(crate) fn run(&self, duration: Duration) -> Measurements {
        let started = Instant::now();
        let times = std::thread::scope(|scope| {
            let threads = (0..self.threads)
                .map(|thread| scope.spawn(move || self.run_thread(thread, started + duration)));
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("a thread that does not panic"))
                .collect()
        });
        Measurements::new(times, started.elapsed())
    }

    fn run_thread(&self, thread: usize, until: Instant) -> Vec<Duration> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let app = self.dataset.app(self.connections);
        let users = (1..=USERS).filter(|user| user % self.threads == thread);
        let times = runtime.block_on(join_all(users.map(|user| self.run_user(&app, user, until))));
        times.concat()
    }

    /// Adds a heart to every post, then removes them, and so on.
    async fn run_user(&self, app: &App, user: usize, until: Instant) -> Vec<Duration> {
        let user_id = UserId::from(i64::try_from(user).expect("a small number"));
        let mut times = Vec::with_capacity(10_000);
        // Users start at different posts, to avoid more contention than the number of posts requires.
        let start = user * self.posts / USERS;
        let posts =
            |round: usize| (0..self.posts).map(move |step| (round, (start + step) % self.posts));
        for (round, post) in (0..).flat_map(posts) {
            let started = Instant::now();
            if until <= started {
                break;
            }
            let post = PostId::from(Dataset::post(post));
            let result = match round % 2 {
                0 => hearts::add(app, user_id, post).await,
                _ => hearts::remove(app, user_id, post).await,
            };
            match result {
                // An earlier run may have left a heart or none.
                Ok(_)
                | Err(
                    Error::AlreadyExists { .. } | Error::NotFound { resource: Resource::Heart, .. },
                ) => {}
                Err(error) => panic!("{error:?}"),
            }
            times.push(started.elapsed());
        }
        times
    }
}
