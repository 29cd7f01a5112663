"""Breaks a primary in four ways, and prints what users have seen of it."""

import sys
import time
from collections.abc import Callable
from itertools import pairwise

from load import Answer, Load, Records, Server, User, settle
from machines import Cluster, Machine, wait_until

# What docs/operations.md promises.
LONGEST_OUTAGE = 30.0
LONGEST_REQUEST = 7.0

# How long a frozen machine stays so after another one has become the primary.
FROZEN_SECONDS = 5


class Report:
    def __init__(self) -> None:
        self.broken: list[str] = []

    def fault(self, name: str, answers: list[Answer], start: float) -> None:
        """Prints what was answered since a fault."""
        outage = max(longest_gap(answers, server, start) for server in (1, 2))
        refusals = sum(answer.is_refusal for answer in answers)
        others = [answer.status for answer in answers if answer.status not in (200, 201) and not answer.is_refusal]
        longest, request = max((answer.end - max(answer.start, start), answer.request) for answer in answers)
        print(f"{name:30} {outage:12.1f} s {refusals:10} {len(others):12} {longest:14.1f} s ({request})", flush=True)
        self.check(outage <= LONGEST_OUTAGE, f"{name}: no acknowledged write for {outage:.1f} s")
        self.check(longest <= LONGEST_REQUEST, f"{name}: a request took {longest:.1f} s")
        self.check(not others, f"{name}: answered {sorted(set(others))}")

    def result(self, name: str, number: int) -> None:
        """Prints a number that must be zero."""
        print(f"{name}: {number}")
        self.check(number == 0, f"{name}: {number}")

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)


def longest_gap(answers: list[Answer], server: int, start: float) -> float:
    """The longest time after `start` in which a server acknowledged no write."""
    times = sorted(answer.end for answer in answers if answer.server == server and answer.is_write)
    return max(later - earlier for earlier, later in pairwise([start, *times]))


def nothing() -> None:
    pass


def break_primary(cluster: Cluster, records: Records, act: Callable[[Machine], Callable[[], None]]) -> float:
    """Waits until another machine is the primary and writes are acknowledged, then mends the first one."""
    primary = cluster.leader()
    assert primary
    start = time.monotonic()
    mend = act(primary)
    wait_until("another primary", lambda: cluster.leader(besides=primary) is not None, 60)
    promoted = time.monotonic()
    wait_until("acknowledged writes", lambda: promoted + FROZEN_SECONDS < records.last_write(), 60)
    mend()
    cluster.wait_until_complete()
    return start


def faults(cluster: Cluster) -> dict[str, Callable[[Machine], Callable[[], None]]]:
    def kill_postgres(primary: Machine) -> Callable[[], None]:
        primary.kill_postgres()
        return nothing

    def kill_machine(primary: Machine) -> Callable[[], None]:
        primary.kill()
        return lambda: cluster.start(primary)

    def freeze(primary: Machine) -> Callable[[], None]:
        primary.freeze()
        return primary.thaw

    def switch_over(primary: Machine) -> Callable[[], None]:
        primary.ask("switchover", {"leader": primary.name})
        return nothing

    return {
        "kill -9 of PostgreSQL": kill_postgres,
        "kill -9 of the whole machine": kill_machine,
        "freeze of the whole machine": freeze,
        "switchover": switch_over,
    }


def count_lost(leader: Machine, records: Records, report: Report) -> None:
    stored = [row[0] for row in leader.sql("SELECT content FROM posts", "grateful")]
    hearts = {(row[0], str(row[1])) for row in leader.sql("SELECT user_id, post_id FROM likes", "grateful")}
    lost = len(set(records.posts) - set(stored)) + len(set(records.hearts) - hearts)
    print(f"acknowledged posts and hearts: {len(records.posts) + len(records.hearts)}")
    report.result("of these lost", lost)
    print(f"posts with an unknown outcome, repeated with their key: {len(records.unknown)}")
    report.result("posts that were stored twice", len(stored) - len(set(stored)))
    report.result("own posts that a user did not see at once", records.not_seen)


def break_primaries(cluster: Cluster, records: Records, report: Report, selected: list[str]) -> None:
    wait_until("acknowledged writes", lambda: 0 < records.last_write(), 10)
    print(f"\n{'':30} {'no writes for':>14} {'503':>10} {'other errors':>12} {'longest request':>16}")
    for name, act in faults(cluster).items():
        if selected and not any(part in name for part in selected):
            continue
        before = len(records.answers)
        start = break_primary(cluster, records, act)
        report.fault(name, records.answers[before:], start)


def main(postgres_programs: str, *selected: str) -> int:
    started = time.monotonic()
    cluster = Cluster(postgres_programs)
    print(f"{cluster.versions()}: running after {time.monotonic() - started:.1f} s", flush=True)
    settings = {
        "DATABASE_URL": cluster.url(),
        "GRATEFUL_REPLICA_URLS": ",".join(cluster.url(machine) for machine in cluster.machines),
        "GRATEFUL_UPLOADS_DIR": "uploads",
        "GRATEFUL_RATE_LIMITS": "off",
        "GRATEFUL_WORKERS": "2",
        "GRATEFUL_CONNECTIONS_PER_WORKER": "4",
    }
    servers = [Server(number, settings) for number in (1, 2)]
    report = Report()
    load = Load([User(servers[number % 2], f"user{number}") for number in range(6)])
    try:
        break_primaries(cluster, load.records, report, list(selected))
    finally:
        load.stop()
    settle(load.records)

    print()
    leader = cluster.leader()
    assert leader
    count_lost(leader, load.records, report)
    verified = servers[0].run("verify")
    print(f"grateful verify: {verified.stdout.strip()}")
    report.check(verified.returncode == 0, f"grateful verify: {verified.stdout}{verified.stderr}")
    for server in servers:
        server.stop()
    for broken in report.broken:
        print(f"BROKEN PROMISE: {broken}")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
