"""Farms for tests: each with its own database and its own project at one sandbox's cloud."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from tests.pairs.own import Rows, broker_of, rows_in
from tests.sandbox.running import RunningSandbox

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 240.0
GLANCE = 0.03


def wait_until(what: str, is_so: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for a condition; AssertionError names it when it does not come about."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(GLANCE)


@dataclass(slots=True)
class Zygote:
    """The process that all workers of a test run are forked from."""

    process: subprocess.Popen[str]

    def order(self, **order: str) -> Mapping[str, str | int]:
        """One order, and what it answered."""
        stdin, stdout = _pipe(self.process.stdin), _pipe(self.process.stdout)
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        answer: Mapping[str, str | int] = json.loads(stdout.readline())
        return answer


@contextmanager
def zygote(running: RunningSandbox, folder: Path, **pace: str) -> Iterator[Zygote]:
    """A farm in memory that points at the sandbox; `pace` are settings of waits, in seconds."""
    environ = {
        **os.environ,
        **running.env,
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "FARM_DATA": str(folder / "data"),
        # One template serves all: whoever copies it must be able to read its secrets.
        "SECRET_KEY": "of-tests",
        "FIELD_KEYS": "of-tests",
        "LOG_LEVEL": "INFO",
        "LEASE_SECONDS": "20",
        **pace,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.farm.matrix.zygote"],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Zygote(process)
    finally:
        _pipe(process.stdin).close()
        process.wait(20)
        _pipe(process.stdout).close()


@dataclass(slots=True)
class Farm:
    """One farm: its rows, its project at the cloud, and the workers it ever had."""

    zygote: Zygote
    control: httpx.Client
    folder: Path
    rows: Rows
    broker: str
    project: int
    token: str
    workers: list[int] = field(default_factory=list)
    scaleway: Mapping[str, str] = field(default_factory=dict)
    """What opens a project at Scaleway, as orders name it; nothing where the farm has none."""

    def order(self, do: str, **more: str) -> Mapping[str, str | int]:
        """Have something done in this farm."""
        return self.zygote.order(
            do=do,
            database=self.rows.name,
            broker=self.broker,
            token=self.token,
            log=str(self.folder / "log"),
            **self.scaleway,
            **more,
        )

    def wish(self, do: str, **more: str) -> str:
        """Have a wish uttered through the services; answers what they answered."""
        answer = self.order(do, **more)
        assert "result" in answer, (self.folder / "log").read_text()
        return str(answer["result"])

    def start_worker(self) -> int:
        """A real worker process; its pid."""
        pid = int(self.order("worker")["pid"])
        self.workers.append(pid)
        return pid

    def start_tunnel(self, port: int) -> int:
        """A real tunnel process; its pid."""
        pid = int(self.order("tunnel", port=str(port))["pid"])
        self.workers.append(pid)
        return pid

    def restart(self) -> int:
        """Another worker after one was killed; the dead one's leases have run out by then."""
        self.wish("expire")
        return self.start_worker()

    def end_worker(self, pid: int) -> None:
        """Tell a worker to end; it does so by itself."""
        os.kill(pid, signal.SIGTERM)
        wait_until("the worker ended", lambda: not alive(pid), 15)

    def close(self) -> None:
        """No worker is left."""
        for pid in self.workers:
            _end(pid)
        wait_until("every worker ended", lambda: not any(map(alive, self.workers)))

    def ask(self, sql: str, *values: str) -> str:
        """The first column of the first row, "" without one."""
        return self.rows.ask(sql, values)

    def phase(self) -> str:
        """The agent's phase."""
        return self.ask("SELECT phase FROM agents_agent")

    def reason(self) -> str:
        """Why the agent waits or failed."""
        return self.ask("SELECT reason FROM agents_agent")

    def codes(self) -> Sequence[str]:
        """The codes of everything that happened to agents here, in order."""
        joined = (
            "SELECT group_concat(code, ' ') FROM (SELECT code FROM agents_event ORDER BY id) AS a"
        )
        return self.ask(joined).split()

    def calls(self, kind: str) -> Sequence[str]:
        """The details of every outside call of a kind since the faults were cleared."""
        calls = self.control.get("/calls").json()["calls"]
        return [call["detail"] for call in calls if call["kind"] == kind]

    def inventory(self) -> Sequence[Mapping[str, object]]:
        """The servers that the cloud shows."""
        return self.books("/inventory")["servers"]

    def invoiced_servers(self) -> int:
        """For how many servers the cloud would send an invoice."""
        lines = self.books("/invoice")["lines"]
        return len({line["server"] for line in lines})

    def books(self, path: str) -> dict[str, list[dict[str, object]]]:
        answer = self.control.get(path, params={"project": self.project})
        answer.raise_for_status()
        books: dict[str, list[dict[str, object]]] = answer.json()
        return books


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def new_farm(zygote: Zygote, control: httpx.Client, template: Rows, folder: Path) -> Farm:
    """A fresh farm from the template's database, with a fresh project."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows_in(folder, template)
    answer = control.post("/hetzner/projects", json={"name": folder.name, "server_limit": 5})
    answer.raise_for_status()
    project = answer.json()
    return Farm(zygote, control, folder, rows, broker_of(folder), project["id"], project["token"])


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
