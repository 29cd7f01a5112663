"""Users who write through two servers, and what these have answered."""

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Longer than any answer may take.
TIMEOUT = 30


@dataclass
class Answer:
    """An answer to a user. Status 0 is a connection that broke, or was silent for too long."""

    request: str
    server: int
    start: float
    end: float
    status: int
    is_refusal: bool
    is_write: bool


@dataclass
class Records:
    answers: list[Answer] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    hearts: list[tuple[int, str]] = field(default_factory=list)
    unknown: list[tuple["User", str]] = field(default_factory=list)
    not_seen: int = 0

    def last_write(self) -> float:
        return max((answer.end for answer in reversed(self.answers) if answer.is_write), default=0.0)


class Server:
    def __init__(self, number: int, settings: dict[str, str]) -> None:
        self.number = number
        log = open(f"server{number}.log", "wb")
        self.environment = {"PATH": os.environ["PATH"], "GRATEFUL_LISTEN": "127.0.0.1:0", **settings}
        command = ["./grateful", "serve"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise ChildProcessError(Path(log.name).read_text()[-4000:])
        self.address = line.split("//")[1].strip()

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["./grateful", command], env=self.environment, capture_output=True, text=True)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(TIMEOUT)


class User:
    """A user with a connection of their own."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.connection = http.client.HTTPConnection(server.address, timeout=TIMEOUT)
        self.token = ""
        account = {"username": name, "email": f"{name}@example.org", "password": os.urandom(12).hex()}
        _, body = self.send("POST", "auth/signup", account)
        self.id: int = body["data"]["id"]
        self.token = body["data"]["access_token"]

    def send(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Returns the status and the body, of refusals with the header `Retry-After`."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers = {name: value for name, value in headers.items() if self.token or name == "Content-Type"}
        try:
            data = None if body is None else json.dumps(body)
            self.connection.request(method, f"/api/v1/{path}", data, headers)
            response = self.connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0, None
        if response.status == 503:
            return 503, response.headers["Retry-After"]
        return response.status, json.loads(text)

    def post(self, content: str) -> tuple[int, Any]:
        return self.send("POST", "posts", {"content": content}, content.replace(" ", "-"))


class Load:
    """Each user writes a post, reads it, gives a heart to the last post of another user, and begins again."""

    def __init__(self, users: list[User]) -> None:
        self.records = Records()
        self.last_posts: dict[str, str] = {}
        self.is_over = threading.Event()
        self.threads = ThreadPoolExecutor(len(users))
        self.acts = [self.threads.submit(self.act, *pair) for pair in zip(users, users[1:] + users[:1])]

    def stop(self) -> None:
        """Fails if the answer to a user made no sense."""
        self.is_over.set()
        for act in self.acts:
            act.result()

    def act(self, user: User, other: User) -> None:
        number = 0
        while not self.is_over.wait(0.02):
            number += 1
            content = f"{user.name} writes {number}"
            status, body = self.record("post", user, lambda: user.post(content))
            if status != 201:
                self.records.unknown.append((user, content))
                self.is_over.wait(0.2)
                continue
            self.records.posts.append(content)
            path = f"posts/{body['id']}"
            status, _ = self.record("read", user, lambda: user.send("GET", path))
            self.records.not_seen += status == 404
            self.last_posts[user.name] = body["id"]
            post = self.last_posts.pop(other.name, None)
            if post and self.record("heart", user, lambda: user.send("POST", f"posts/{post}/heart"))[0] == 201:
                self.records.hearts.append((user.id, post))

    def record(self, request: str, user: User, send: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        start = time.monotonic()
        status, body = send()
        is_refusal = status == 503 and body is not None
        answer = Answer(request, user.server.number, start, time.monotonic(), status, is_refusal, status == 201)
        self.records.answers.append(answer)
        return status, body


def settle(records: Records) -> None:
    """Repeats the posts whose outcome is unknown, with their keys, until each is acknowledged."""
    deadline = time.monotonic() + 120
    for user, content in records.unknown:
        # 409: the key is held by the request that has failed, for up to a minute.
        while (status := user.post(content)[0]) != 201:
            if deadline < time.monotonic():
                raise TimeoutError(f"{content}: still {status}")
            time.sleep(0.2)
        records.posts.append(content)
