"""A farm in processes of its own, started as a person starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.pairs.own import environ_of

DEADLINE = 90.0
OURS = (
    *("FARM_DATA", "FARM_USER", "PORT", "TUNNEL_PORT", "RELAY", "GUESTS"),
    *("HETZNER", "SANDBOX", "STRIPE"),
)


def until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Wait until it holds, or fail."""
    last = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < last, "it never came true"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a farm keeps its data and listens, which guests it has, and what else is set."""

    data: Path
    port: int
    tunnel_port: int
    relay_port: int = field(default_factory=free_port)
    guests: str = "simulated"
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """This process's environment with nothing of another farm's in it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        ports = {
            "PORT": str(self.port),
            "TUNNEL_PORT": str(self.tunnel_port),
            "RELAY_PORT": str(self.relay_port),
        }
        return {
            **kept,
            **(ports if self.port else {}),
            "FARM_DATA": str(self.data),
            "GUESTS": self.guests,
            **environ_of(self.data),
            **self.extra,
        }

    def farm(self, *words: str, timeout: float = DEADLINE) -> subprocess.CompletedProcess[str]:
        """The farm's command line beside it, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "farm", *words],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def beside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same in a terminal that was told of FARM_DATA alone."""
        unsaid = replace(self, port=0, tunnel_port=0)
        return unsaid.farm(*words)

    @property
    def outside(self) -> dict[str, str]:
        """How the running farm is pointed at its sandbox."""
        word: dict[str, str] = json.loads((self.data / "sandbox.env.json").read_text())
        return word

    def processes(self) -> list[int]:
        """Every living process that was started with this folder for its data."""
        mark = f"FARM_DATA={self.data}".encode()
        return [pid for pid in _living() if mark in _environ_of(pid).split(b"\0")]


class RunningFarm:
    """`farm up --json` and what it said once the site answered."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        argv = [sys.executable, "-m", "farm", "up", "--json"]
        with (surroundings.data / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                argv,
                env=surroundings.environ,
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, (surroundings.data / "up.log").read_text()
        self.said: Mapping[str, str] = json.loads(line)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; answers the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@contextmanager
def running_farm(surroundings: Surroundings) -> Iterator[RunningFarm]:
    """A farm that is up; ended as by Ctrl-C unless the test did it otherwise."""
    running = RunningFarm(surroundings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            assert running.end() == 0


def _living() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _environ_of(pid: int) -> bytes:
    """Empty for a process that is gone, or waits to be buried."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
