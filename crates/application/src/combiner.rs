//! Runs acts of many users in groups (docs/decisions/0037-acts-run-in-groups.md).
//!
//! Acts on one row wait for its lock, and each would hold it for several round trips and a commit. In a group they take the
//! lock once. While a group runs, what arrives waits, and becomes the next group. There is no timer: an act that finds nothing
//! running starts at once, as a group of one.

mod group;
mod queue;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grateful_domain::{NotificationId, PostId, UserId};
use grateful_storage::{Connection, Database, QueryLog};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::group::run_group;
use self::queue::{Queue, QueuedAct};
use crate::metrics::ACTS_REFUSED;
use crate::{Error, Result};

/// Acts of one kind, which run in one transaction. Each is refused or done by itself.
pub(crate) trait GroupedAct: Send + Sync + 'static {
    /// What the user gets.
    type Output: Send + 'static;

    /// What [`GroupedAct::lock`] found.
    type Locked: Send;

    /// The name in the metrics.
    const NAME: &'static str;

    /// Where the act belongs.
    fn place(&self) -> ActPlace;

    /// Locks the rows that the acts need first, and reads what they depend on. Sent with `BEGIN`, in one round trip.
    fn lock(tx: &Connection, acts: &[Self]) -> impl Future<Output = Result<Self::Locked>> + Send
    where
        Self: Sized;

    /// Does the acts, in their order, and returns a result for each. Their [keys](ActPlace::key) differ. An error undoes all of
    /// them.
    fn run(
        tx: &mut Connection,
        acts: &[Self],
        locked: Self::Locked,
    ) -> impl Future<Output = Result<Vec<Result<Self::Output>>>> + Send
    where
        Self: Sized;
}

/// Where an act belongs in groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActPlace {
    /// The acting user. Users take turns.
    pub(crate) user: UserId,
    /// The row that the act locks. Groups that run at the same time have different targets.
    pub(crate) target: ActTarget,
    /// A group has at most one act with this key.
    pub(crate) key: (UserId, ActTarget),
}

/// A row that acts lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ActTarget {
    Post(PostId),
    User(UserId),
    Notification(NotificationId),
}

impl ActPlace {
    /// The place of an act of `user` on a post or a notification.
    pub(crate) fn new(user: UserId, target: ActTarget) -> Self {
        Self { user, target, key: (user, target) }
    }

    /// The place of an act about the relationship of `user` to `other`. Both can change it.
    pub(crate) fn of_relationship(user: UserId, other: UserId) -> Self {
        let key = (user.min(other), ActTarget::User(user.max(other)));
        Self { user, target: ActTarget::User(other), key }
    }
}

/// Limits of a [`Combiner`], for each kind of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CombinerLimits {
    /// The maximum number of acts in a group.
    pub group_size: usize,
    /// The maximum number of groups that run at the same time.
    pub groups: usize,
    /// The maximum number of acts that wait. Others are refused.
    pub waiting: usize,
    /// The maximum number of acts of one user that wait.
    pub waiting_per_user: usize,
    /// An act that could not start within this time is refused.
    pub wait: Duration,
}

impl Default for CombinerLimits {
    fn default() -> Self {
        Self {
            // Few enough that its locks delay no other request.
            group_size: 200,
            groups: 2,
            waiting: 4_096,
            waiting_per_user: 64,
            // As long as a request waits for a connection.
            wait: Duration::from_millis(800),
        }
    }
}

/// Runs acts in groups. A process needs one; clones share it.
#[derive(Clone, Default)]
pub struct Combiner {
    limits: CombinerLimits,
    /// A [`Lane`] for each kind of acts.
    lanes: Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

/// The acts of one kind that wait or run.
struct Lane<A: GroupedAct> {
    limits: CombinerLimits,
    queue: Mutex<Queue<WaitingAct<A>>>,
}

/// An act that waits. If its caller leaves before it starts, it never does.
struct WaitingAct<A: GroupedAct> {
    act: A,
    since: Instant,
    /// The runtime and the connections of the caller. One of the group's callers lends them to the group.
    runtime: Handle,
    db: Database,
    /// Closed if the caller is gone.
    reply: oneshot::Sender<Reply<A>>,
}

/// The result of an act, and the statements of its group.
type Reply<A> = (Result<<A as GroupedAct>::Output>, Arc<QueryLog>);

impl<A: GroupedAct> QueuedAct for WaitingAct<A> {
    fn place(&self) -> ActPlace {
        self.act.place()
    }
}

impl Combiner {
    /// Creates a combiner with these limits.
    pub fn new(limits: CombinerLimits) -> Self {
        Self { limits, lanes: Arc::default() }
    }

    /// Runs an act in a group, on the connections of one of the callers of the group. Returns after its commit. If the caller
    /// leaves, the act is completed, or never starts.
    ///
    /// # Errors
    /// The error of the act, and `Unavailable` if too many acts are waiting.
    pub(crate) async fn run<A: GroupedAct>(&self, db: &Database, act: A) -> Result<A::Output> {
        let (reply, answer) = oneshot::channel();
        let waiting = WaitingAct {
            act,
            since: Instant::now(),
            runtime: Handle::current(),
            db: db.clone(),
            reply,
        };
        let lane = self.lane::<A>();
        if !lock(&lane.queue).push(waiting) {
            metrics::counter!(ACTS_REFUSED, "act" => A::NAME).increment(1);
            return Err(Error::Unavailable("too many acts are waiting".into()));
        }
        lane.start_groups();
        // Without an answer the runtime of the group has stopped.
        let (result, log) = answer.await.map_err(|error| Error::Unavailable(error.into()))?;
        log.add_to_current();
        result
    }

    fn lane<A: GroupedAct>(&self) -> Arc<Lane<A>> {
        let limits = self.limits;
        let new = || Arc::new(Lane::<A> { limits, queue: Mutex::new(Queue::new(limits)) });
        let mut lanes = lock(&self.lanes);
        let lane = lanes.entry(TypeId::of::<A>()).or_insert_with(|| new());
        Arc::clone(lane).downcast().unwrap_or_else(|_| new())
    }
}

impl<A: GroupedAct> Lane<A> {
    /// Starts as many groups as can run.
    fn start_groups(self: &Arc<Self>) {
        loop {
            let group = lock(&self.queue).next_group();
            let Some(first) = group.first() else { return };
            let runtime = first.runtime.clone();
            let targets = group.iter().map(|waiting| waiting.act.place().target).collect();
            let running = RunningGroup { lane: Arc::clone(self), targets };
            runtime.spawn(run_group(running, group));
        }
    }
}

/// A group that runs. When it is dropped, finished or with its runtime, the next groups start.
struct RunningGroup<A: GroupedAct> {
    lane: Arc<Lane<A>>,
    targets: Vec<ActTarget>,
}

impl<A: GroupedAct> Drop for RunningGroup<A> {
    fn drop(&mut self) {
        lock(&self.lane.queue).finish(&self.targets);
        self.lane.start_groups();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
