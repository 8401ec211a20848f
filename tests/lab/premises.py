"""Where a farm stands: an address that stays, and machines under it that may be lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.browser.site import started
from tests.farm.matrix.moved_clock import MovedClock
from tests.lab.outside import Outside
from tests.ops.farms import RunningFarm, Surroundings, free_port, until

COMMAND_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Address:
    """What everybody knows a farm by: its ports on this machine, and the names in front of them."""

    port: int = field(default_factory=free_port)
    tunnel_port: int = field(default_factory=free_port)
    relay_port: int = field(default_factory=free_port)
    edge_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)

    @property
    def site(self) -> str:
        """Where people go."""
        return f"https://farm.localhost:{self.edge_port}"

    @property
    def relay(self) -> str:
        """Where the farm's relay answers."""
        return f"http://127.0.0.1:{self.relay_port}"

    @property
    def environ(self) -> Mapping[str, str]:
        """How a farm at this address is told of its edge."""
        return {
            "SITE_URL": self.site,
            "AGENT_URL": f"https://{{host}}.agents.localhost:{self.edge_port}",
            "ALLOWED_HOSTS": "localhost,127.0.0.1,farm.localhost",
            "EDGE_ADDRESSES": "sandbox",
            "EDGE_HTTP_PORT": str(self.http_port),
            "EDGE_STREAM_SECONDS": "15",
        }


@dataclass(slots=True)
class Premises:
    """A farm's machines, one after the other, each a folder with every process that lives on it.

    `settings` are told to each of them.
    """

    folder: Path
    address: Address
    outside: Outside
    settings: Mapping[str, str]
    machine: str = "first"
    clock: MovedClock | None = None
    running: RunningFarm | None = None

    @property
    def data(self) -> Path:
        """What the farm keeps, on the machine that it is on."""
        return self.folder / self.machine

    @property
    def surroundings(self) -> Surroundings:
        """How to speak to the farm where it is now."""
        at = self.address
        told = {**self.outside.env, **at.environ, **self.settings}
        moved = self.clock.settings if self.clock else {}
        return Surroundings(
            self.data, at.port, at.tunnel_port, at.relay_port, extra={**told, **moved}
        )

    def open(self) -> None:
        """Start everything on the machine that there is."""
        self.data.mkdir(exist_ok=True)
        self.running = RunningFarm(self.surroundings)

    def close(self) -> None:
        """End it in order; content if nothing runs."""
        if self.running and self.running.process.poll() is None:
            assert self.running.end() == 0

    def lose(self) -> None:
        """A fire: no process ends in order, and nothing that was on the machine is left."""
        assert self.running
        for pid in self.surroundings.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.running.process.wait()
        if self.running.process.stdout:
            self.running.process.stdout.close()
        until(lambda: self.surroundings.processes() == [])
        shutil.rmtree(self.data)

    def restore(self, machine: str, archive: Path) -> None:
        """On an empty machine under the same address, from a backup of the farm."""
        self.machine = machine
        self.data.mkdir()
        self.farm("restore", str(archive))
        self.open()

    @contextmanager
    def left_to_a_worker(self, clock: MovedClock, settings: Mapping[str, str]) -> Iterator[None]:
        """Nothing but one worker runs on the machine meanwhile, by that clock and told more."""
        self.close()
        mine = self.settings
        self.clock, self.settings = clock, {**mine, **settings}
        with started(self.surroundings.environ, self.data / "logs", "farm", "worker"):
            yield
        self.clock, self.settings = None, mine
        self.open()

    def farm(self, *words: str) -> str:
        """The farm's command line on its machine; what it answered in JSON."""
        done = self.surroundings.farm(*words, "--json", timeout=COMMAND_SECONDS)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def told(self, key: str, *words: str) -> str:
        """One value of what the command line answers."""
        answered: Mapping[str, str] = json.loads(self.farm(*words))
        return answered[key]

    def python(self, code: str) -> str:
        """Run in the farm's own shell; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            env=self.surroundings.environ,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
