"""Machines with etcd, Patroni and PostgreSQL, each in a folder of its own, on the loopback address of this one.

Their configuration is the one in docs/operations.md, with other addresses, folders and passwords.
"""

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import yaml

HOST = "127.0.0.1"
PASSWORD = secrets.token_hex(16)

Configuration = dict[str, Any]


def wait_until(what: str, condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if deadline < time.monotonic():
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that are free, below those that the system gives to clients."""
    ports: list[int] = []
    for port in random.sample(range(20000, 32000), 12000):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):
                ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError("no free ports")


def documented_configuration() -> Configuration:
    """The file for Patroni in docs/operations.md."""
    section = Path("operations.md").read_text().split("\n## Several machines\n")[1]
    configuration: Configuration = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    return configuration


class Machine:
    def __init__(self, name: str, postgres_programs: str) -> None:
        self.name = name
        self.folder = Path.cwd() / name
        self.folder.mkdir()
        self.programs = postgres_programs
        self.postgres_port, self.rest_port, self.client_port, self.peer_port = free_ports(4)

    def configure(self, machines: list["Machine"]) -> None:
        """Writes the file for Patroni."""
        file = documented_configuration()
        rest, postgres = f"{HOST}:{self.rest_port}", f"{HOST}:{self.postgres_port}"
        file["name"] = self.name
        file["restapi"] = {"listen": rest, "connect_address": rest}
        file["etcd3"] = {"hosts": [f"{HOST}:{machine.client_port}" for machine in machines]}
        rules = file["bootstrap"]["pg_hba"]
        file["bootstrap"]["pg_hba"] = [rule.replace("10.0.0.0/24", f"{HOST}/32") for rule in rules]
        file["postgresql"] |= {"listen": postgres, "connect_address": postgres}
        file["postgresql"] |= {"data_dir": str(self.folder / "data"), "bin_dir": self.programs}
        file["postgresql"]["parameters"] = {"unix_socket_directories": str(self.folder)}
        for account in file["postgresql"]["authentication"].values():
            account["password"] = PASSWORD
        (self.folder / "patroni.yaml").write_text(yaml.safe_dump(file))

    def start(self, machines: list["Machine"]) -> None:
        client, peer = f"http://{HOST}:{self.client_port}", f"http://{HOST}:{self.peer_port}"
        members = ",".join(f"{it.name}=http://{HOST}:{it.peer_port}" for it in machines)
        self.run(
            ["../etcd/usr/bin/etcd", "--name", self.name, "--data-dir", "etcd", "--initial-cluster", members]
            + ["--listen-client-urls", client, "--advertise-client-urls", client]
            + ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        )
        self.run(["../venv/bin/patroni", "patroni.yaml"])

    def run(self, command: list[str]) -> None:
        log = (self.folder / f"{Path(command[0]).name}.log").open("ab")
        subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)

    def processes(self) -> list[int]:
        """All processes whose working directory is in the folder of the machine."""
        found = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                directory = Path(os.readlink(f"/proc/{process}/cwd"))
            except OSError:
                continue
            if directory.is_relative_to(self.folder):
                found.append(int(process))
        return found

    def signal(self, number: signal.Signals) -> None:
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def kill_postgres(self) -> None:
        postmaster = (self.folder / "data/postmaster.pid").read_text().split("\n")[0]
        os.kill(int(postmaster), signal.SIGKILL)

    def kill(self) -> None:
        while self.processes():
            self.signal(signal.SIGKILL)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def ask(self, path: str, body: Configuration | None = None) -> Any:
        """Asks Patroni."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://{HOST}:{self.rest_port}/{path}", data)
        with urlopen(request, timeout=30 if body else 2) as answer:
            text = answer.read().decode()
            return json.loads(text) if body is None else text

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        address = {"host": HOST, "port": self.postgres_port, "dbname": database}
        with psycopg.connect(**address, user="postgres", password=PASSWORD, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


class Cluster:
    def __init__(self, postgres_programs: str) -> None:
        self.machines = [Machine(name, postgres_programs) for name in ("n1", "n2", "n3")]
        for machine in self.machines:
            machine.configure(self.machines)
            machine.start(self.machines)
        self.wait_until_complete()
        leader = self.leader()
        assert leader
        leader.sql(f"CREATE ROLE grateful LOGIN PASSWORD '{PASSWORD}'")
        leader.sql("CREATE DATABASE grateful OWNER grateful TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")

    def start(self, machine: Machine) -> None:
        machine.start(self.machines)

    def url(self, *machines: Machine) -> str:
        hosts = ",".join(f"{HOST}:{machine.postgres_port}" for machine in machines or self.machines)
        return f"postgresql://grateful:{PASSWORD}@{hosts}/grateful"

    def leader(self, besides: Machine | None = None) -> Machine | None:
        """The primary, if another machine than this one says that it is."""
        for machine in self.machines:
            if machine is besides:
                continue
            try:
                if machine.ask("patroni")["role"] in ("primary", "master"):
                    return machine
            except OSError:
                pass
        return None

    def is_complete(self) -> bool:
        """Whether there are a primary, and two standbys that count for the quorum."""
        leader = self.leader()
        try:
            members = leader.ask("cluster")["members"] if leader else []
        except OSError:
            return False
        states = sorted((member["role"], member["state"]) for member in members)
        return states == [("leader", "running")] + 2 * [("quorum_standby", "streaming")]

    def wait_until_complete(self) -> None:
        wait_until("a primary and two standbys", self.is_complete, 120)

    def versions(self) -> str:
        leader = self.leader()
        assert leader
        postgres = leader.sql("SHOW server_version")[0][0].split()[0]
        patroni = leader.ask("patroni")["patroni"]["version"]
        etcd = subprocess.run(["etcd/usr/bin/etcd", "--version"], capture_output=True, text=True, check=True)
        number = etcd.stdout.split("\n")[0].split()[-1]
        python = ".".join(map(str, sys.version_info[:2]))
        cores = len(os.sched_getaffinity(0))
        return f"PostgreSQL {postgres}, Patroni {patroni}, etcd {number}, Python {python}, {cores} cores"
