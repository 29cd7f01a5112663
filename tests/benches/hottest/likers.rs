//! People who like posts and take it back, through the use cases, as a server runs them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use grateful_application::{App, Error, Resource, hearts};
use grateful_domain::{PostId, UserId};

use crate::PEOPLE;
use crate::world::World;

/// On how many posts, and how they reach the database: each thread has a runtime and a pool of its own.
pub(crate) struct Likers<'w> {
    pub(crate) world: &'w World,
    pub(crate) threads: usize,
    pub(crate) connections: usize,
    pub(crate) posts: usize,
}

/// How long each act took.
pub(crate) struct Measured {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Likers<'_> {
    pub(crate) fn run(&self, duration: Duration) -> Measured {
        let begun = Instant::now();
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let threads = (0..self.threads)
                .map(|thread| scope.spawn(move || self.thread(thread, begun + duration)));
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().expect("a thread that goes on to the end"))
                .collect()
        });
        let elapsed = begun.elapsed();
        times.sort_unstable();
        Measured { times, elapsed }
    }

    fn thread(&self, thread: usize, until: Instant) -> Vec<Duration> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let app = self.world.app(self.connections);
        let people = (1..=PEOPLE).filter(|person| person % self.threads == thread);
        let times =
            runtime.block_on(join_all(people.map(|person| self.person(&app, person, until))));
        times.concat()
    }

    /// One heart after the other, over all posts and then back.
    async fn person(&self, app: &App, person: usize, until: Instant) -> Vec<Duration> {
        let me = UserId::from(i64::try_from(person).expect("a small number"));
        let mut times = Vec::with_capacity(10_000);
        // Each begins elsewhere, so that they meet only where they must.
        let start = person * self.posts / PEOPLE;
        let posts =
            |round: usize| (0..self.posts).map(move |step| (round, (start + step) % self.posts));
        for (round, post) in (0..).flat_map(posts) {
            let begun = Instant::now();
            if until <= begun {
                break;
            }
            let post = PostId::from(World::post(post));
            let outcome = match round % 2 {
                0 => hearts::add(app, me, post).await,
                _ => hearts::remove(app, me, post).await,
            };
            match outcome {
                // An earlier round may have left it either way.
                Ok(_)
                | Err(
                    Error::AlreadyExists { .. } | Error::NotFound { resource: Resource::Heart, .. },
                ) => {}
                Err(error) => panic!("{error:?}"),
            }
            times.push(begun.elapsed());
        }
        times
    }
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX)) / self.elapsed.as_secs_f64()
    }

    /// The time that this share of the acts stayed below.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a list of some hundred thousand"
    )]
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let index = (self.times.len() as f64 * share) as usize;
        self.times.get(index).copied().unwrap_or_default()
    }
}
