//! Which replica serves a read.

use super::lsn::Lsn;
use crate::monitor::metrics::ReadReason;

/// What is known about a replica at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connection) struct ReplicaView {
    /// Whether it answers, is a replica of this primary, and is not ahead of it.
    pub(in crate::connection) is_healthy: bool,
    /// Whether it shows the state of the primary at a moment within the staleness bound.
    pub(in crate::connection) is_fresh: bool,
    /// How far it has replayed the log, at least.
    pub(in crate::connection) replayed: Lsn,
}

/// Chooses a replica that is usable and has replayed `required`: the one with the greatest weight. Returns its index, or why
/// the read must run on the primary.
///
/// The weights are [`weight`]s of the reader, so a reader stays with one replica as long as that is usable, on all nodes, and
/// reads there do not go back in time.
pub(in crate::connection) fn choose(
    replicas: impl Iterator<Item = (u64, ReplicaView)>,
    required: Lsn,
) -> Result<usize, ReadReason> {
    let mut best: Option<(u64, usize)> = None;
    let mut reason = ReadReason::Unhealthy;
    for (index, (weight, replica)) in replicas.enumerate() {
        if !replica.is_healthy {
            continue;
        }
        if !replica.is_fresh {
            if reason == ReadReason::Unhealthy {
                reason = ReadReason::Stale;
            }
        } else if replica.replayed < required {
            reason = ReadReason::Mark;
        } else if best.is_none_or(|(greatest, _)| greatest < weight) {
            best = Some((weight, index));
        }
    }
    best.map(|(_, index)| index).ok_or(reason)
}

/// The weight of a replica for a reader in rendezvous hashing: the same on all nodes.
pub(in crate::connection) fn weight(reader: u64, replica: u64) -> u64 {
    mix(reader ^ mix(replica))
}

/// The hash of a replica's name (FNV-1a).
pub(in crate::connection) fn name_hash(name: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// Spreads a number over all 64 bits (the finalizer of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(is_healthy: bool, is_fresh: bool, replayed: i64) -> ReplicaView {
        ReplicaView { is_healthy, is_fresh, replayed: Lsn::from_bytes(replayed) }
    }

    fn choose_for(
        reader: u64,
        replicas: &[(u64, ReplicaView)],
        required: i64,
    ) -> Result<usize, ReadReason> {
        let weighed = replicas.iter().map(|(replica, view)| (weight(reader, *replica), *view));
        choose(weighed, Lsn::from_bytes(required))
    }

    fn replicas() -> impl Strategy<Value = Vec<(u64, ReplicaView)>> {
        let replica = (any::<u64>(), any::<bool>(), any::<bool>(), 0_i64..10);
        let replica = replica
            .prop_map(|(name, healthy, fresh, replayed)| (name, view(healthy, fresh, replayed)));
        prop::collection::vec(replica, 0..5)
    }

    proptest! {
        #[test]
        fn only_a_usable_replica_that_has_replayed_the_mark_is_chosen(
            replicas in replicas(), reader: u64, required in 0_i64..10,
        ) {
            let may_serve = |view: &ReplicaView| {
                view.is_healthy && view.is_fresh && required <= view.replayed.bytes()
            };
            match choose_for(reader, &replicas, required) {
                Ok(chosen) => prop_assert!(may_serve(&replicas[chosen].1)),
                Err(_) => prop_assert!(!replicas.iter().any(|(_, view)| may_serve(view))),
            }
        }

        #[test]
        fn a_reader_changes_replicas_only_if_theirs_is_unusable(
            replicas in replicas(), reader: u64, lost in 0_usize..5,
        ) {
            let before = choose_for(reader, &replicas, 0);
            let mut fewer = replicas;
            if let Some((_, view)) = fewer.get_mut(lost) {
                view.is_healthy = false;
            }
            if before != Ok(lost) {
                let after = choose_for(reader, &fewer, 0);
                prop_assert_eq!(before.ok(), after.ok());
            }
        }
    }

    #[test]
    fn readers_are_spread_over_all_replicas() {
        let replicas =
            ["a:5432", "b:5432", "c:5432"].map(|name| (name_hash(name), view(true, true, 1)));
        let mut readers = [0; 3];
        for reader in 0..3_000 {
            readers[choose_for(reader, &replicas, 0).unwrap()] += 1;
        }

        assert!(readers.iter().all(|count| (900..1_100).contains(count)), "{readers:?}");
    }

    #[test]
    fn the_reason_is_what_the_best_replica_lacks() {
        let reason = |replicas: &[ReplicaView]| {
            let replicas: Vec<_> = replicas.iter().map(|view| (1, *view)).collect();
            choose_for(7, &replicas, 5).unwrap_err()
        };

        assert_eq!(reason(&[]), ReadReason::Unhealthy);
        assert_eq!(reason(&[view(false, true, 9)]), ReadReason::Unhealthy);
        assert_eq!(reason(&[view(false, true, 9), view(true, false, 9)]), ReadReason::Stale);
        assert_eq!(reason(&[view(true, true, 4), view(true, false, 9)]), ReadReason::Mark);
    }
}
