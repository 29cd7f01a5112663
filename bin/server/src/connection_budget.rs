//! How many database connections this process opens, and how many a private PostgreSQL must have for it.

/// The maximum number of connections of the pool for jobs and commands: one for each of the two jobs of a server.
pub(crate) const JOB_CONNECTIONS: usize = 2;

/// The number of shared connections for the reads of jobs: one, on which the streams of notifications are polled.
pub(crate) const JOB_READERS: usize = 1;

const ALL_OF_JOBS: usize = JOB_CONNECTIONS + JOB_READERS;

/// Connections to a private PostgreSQL that no pool uses: 3 that PostgreSQL reserves for superusers, 2 of a migration, and
/// the rest for `psql`, `pg_dump` and other commands of this program, each with a few.
const SPARE_CONNECTIONS: usize = 35;

/// The most connections that all workers together have to a private PostgreSQL, if that is at least one for each. Every
/// connection is a process of several megabytes, and a machine has far fewer cores than this.
const MAX_REQUEST_CONNECTIONS: usize = 1_000;

/// The least `max_connections` of a private PostgreSQL.
const MIN_SERVER_CONNECTIONS: usize = 200;

/// How many connections a server opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionBudget {
    /// The number of threads that serve requests.
    pub(crate) workers: usize,
    /// The size of the pool of each worker.
    pub(crate) per_worker: usize,
    /// The number of shared connections for reads of each worker.
    pub(crate) readers_per_worker: usize,
}

impl ConnectionBudget {
    /// As configured, unless there are very many workers. A worker has at least one connection in its pool.
    pub(crate) fn for_private_postgres(self) -> Self {
        let most = (MAX_REQUEST_CONNECTIONS / self.workers.max(1)).max(1);
        let readers_per_worker = self.readers_per_worker.min(most - 1);
        let per_worker = self.per_worker.min(most - readers_per_worker);
        Self { per_worker, readers_per_worker, ..self }
    }

    /// The maximum number of connections of all workers and jobs together.
    pub(crate) fn total(self) -> usize {
        let of_worker = self.per_worker.saturating_add(self.readers_per_worker);
        self.workers.saturating_mul(of_worker).saturating_add(ALL_OF_JOBS)
    }

    /// The `max_connections` of a private PostgreSQL that has room for all pools.
    pub(crate) fn server_connections(self) -> u32 {
        let needed = self.total().saturating_add(SPARE_CONNECTIONS).max(MIN_SERVER_CONNECTIONS);
        u32::try_from(needed).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL accepts no higher `max_connections`.
    const MAX_BACKENDS: u32 = 262_143;

    #[test]
    fn all_pools_fit_into_the_private_postgresql_for_any_number_of_workers() {
        for workers in 1..=1_024 {
            for (per_worker, readers) in [(1, 0), (1, 2), (8, 2), (50, 100), (1_000, 2)] {
                let budget = budget(workers, per_worker, readers).for_private_postgres();
                let of_worker = budget.per_worker + budget.readers_per_worker;
                let server = budget.server_connections();
                let needed = workers * of_worker + ALL_OF_JOBS + SPARE_CONNECTIONS;
                let fits = needed <= usize::try_from(server).unwrap();
                assert!(fits, "{workers} workers with {per_worker}: {budget:?}, {server}");
                assert!(1 <= budget.per_worker && budget.per_worker <= per_worker, "{budget:?}");
                assert!(budget.readers_per_worker <= readers, "{budget:?}");
                assert!(server <= MAX_BACKENDS, "{budget:?}");
            }
        }
    }

    #[test]
    fn the_default_sizes_apply_up_to_100_workers() {
        let sizes = |workers| {
            let budget = budget(workers, 8, 2).for_private_postgres();
            (budget.per_worker, budget.readers_per_worker)
        };

        assert_eq!(
            [1, 25, 100, 101, 256, 1_000].map(sizes),
            [(8, 2), (8, 2), (8, 2), (7, 2), (1, 2), (1, 0)]
        );
    }

    #[test]
    fn few_workers_leave_the_usual_number_of_connections_to_other_processes() {
        let server = |workers| budget(workers, 8, 2).for_private_postgres().server_connections();

        assert_eq!([1, 16, 17, 25, 256].map(server), [200, 200, 208, 288, 806]);
    }

    #[test]
    fn pools_for_a_configured_database_are_as_configured() {
        assert_eq!(budget(256, 1_000, 2).total(), 256 * 1_002 + 3);
    }

    fn budget(workers: usize, per_worker: usize, readers_per_worker: usize) -> ConnectionBudget {
        ConnectionBudget { workers, per_worker, readers_per_worker }
    }
}
