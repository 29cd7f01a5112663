//! How many database connections this process opens, and how many a private PostgreSQL must have for it.

/// The maximum number of connections of the pool for jobs and commands: one for each of the two jobs of a server.
pub(crate) const JOB_CONNECTIONS: usize = 2;

/// Connections to a private PostgreSQL that no pool uses: 3 that PostgreSQL reserves for superusers, 2 of a migration, and
/// the rest for `psql`, `pg_dump` and other commands of this program, each with a few.
const SPARE_CONNECTIONS: usize = 35;

/// The most connections that all workers together have to a private PostgreSQL, if that is at least one for each. Every
/// connection is a process of several megabytes, and a machine has far fewer cores than this.
const MAX_REQUEST_CONNECTIONS: usize = 1_000;

/// The least `max_connections` of a private PostgreSQL.
const MIN_SERVER_CONNECTIONS: usize = 200;

/// The sizes of the connection pools of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionBudget {
    workers: usize,
    /// The size of the pool of each worker.
    pub(crate) per_worker: usize,
}

impl ConnectionBudget {
    /// The sizes as configured, for a PostgreSQL that is configured elsewhere.
    pub(crate) fn configured(workers: usize, per_worker: usize) -> Self {
        Self { workers, per_worker }
    }

    /// The sizes for a private PostgreSQL: as configured, unless there are very many workers.
    pub(crate) fn for_private_postgres(workers: usize, per_worker: usize) -> Self {
        let most = (MAX_REQUEST_CONNECTIONS / workers.max(1)).max(1);
        Self { workers, per_worker: per_worker.min(most) }
    }

    /// The maximum number of connections of all pools together.
    pub(crate) fn total(self) -> usize {
        self.workers.saturating_mul(self.per_worker).saturating_add(JOB_CONNECTIONS)
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
            for per_worker in [1, 2, 8, 50, 1_000] {
                let budget = ConnectionBudget::for_private_postgres(workers, per_worker);
                let pools = workers * budget.per_worker + JOB_CONNECTIONS;
                let server = budget.server_connections();
                let fits = pools + SPARE_CONNECTIONS <= usize::try_from(server).unwrap();
                assert!(fits, "{workers} workers with {per_worker}: {budget:?}, {server}");
                assert!(1 <= budget.per_worker && budget.per_worker <= per_worker, "{budget:?}");
                assert!(server <= MAX_BACKENDS, "{budget:?}");
            }
        }
    }

    #[test]
    fn the_default_pool_size_applies_up_to_125_workers() {
        let per_worker = |workers| ConnectionBudget::for_private_postgres(workers, 8).per_worker;

        assert_eq!([1, 25, 125, 126, 256].map(per_worker), [8, 8, 8, 7, 3]);
    }

    #[test]
    fn few_workers_leave_the_usual_number_of_connections_to_other_processes() {
        let server =
            |workers| ConnectionBudget::for_private_postgres(workers, 8).server_connections();

        assert_eq!([1, 20, 21, 25, 256].map(server), [200, 200, 205, 237, 805]);
    }

    #[test]
    fn pools_for_a_configured_database_are_as_configured() {
        assert_eq!(ConnectionBudget::configured(256, 1_000).total(), 256_002);
    }
}
