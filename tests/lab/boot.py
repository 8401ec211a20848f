"""Boots real guests for tests, without a cloud in front of them."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TypeVar

from farm.sandbox.guests.base import GuestNotFoundError, GuestSpec
from farm.sandbox.guests.real import RealGuests

T = TypeVar("T")
PATIENCE = 120.0
"""Seconds; guests were seen to answer within 2, or 10 on a busy machine."""
CACHE = Path(os.environ.get("FARM_CACHE") or Path.home() / ".cache/agent-farm")


class Lab:
    """Real guests with an event loop of their own, so that plain code can use them."""

    def __init__(self, state: Path, cache: Path = CACHE) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ids = count(1)
        self.boots: dict[int, Booted] = {}
        self.guests = RealGuests(state=state, cache=cache, why="a test asked for them")

    def begin(self, order: Coroutine[object, object, T]) -> Future[T]:
        """Run an order of `guests` beside others."""
        return asyncio.run_coroutine_threadsafe(order, self._loop)

    def wait(self, order: Coroutine[object, object, T], seconds: float = 600) -> T:
        """Run an order of `guests` and wait for its answer."""
        return self.begin(order).result(seconds)

    def close(self) -> None:
        """A power cut."""
        self.wait(self.guests.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def boot(
        self, user_data: str, *, name: str = "guest", image: str = "debian-12", boot: bool = True
    ) -> Booted:
        """Create a guest and wait for its SSH banner."""
        ipv4 = self.guests.next_ipv4()
        spec = GuestSpec(next(self._ids), name, image, user_data, ipv4, boot=boot)
        self.wait(self.guests.create(spec))
        if boot:
            wait_for_ssh(ipv4)
        self.boots[spec.id] = Booted(spec.id, ipv4, self)
        return self.boots[spec.id]


@dataclass(frozen=True, slots=True)
class Booted:
    """A guest at an address that this machine reaches directly."""

    id: int
    ipv4: str
    lab: Lab

    @property
    def first_process(self) -> int:
        """Its process 1 as this machine knows it: another after each boot, 0 between two."""
        try:
            return self.lab.guests.switchboard.powered(self.id).first_process
        except GuestNotFoundError:
            return 0

    def execute(self, *argv: str, check: bool = True) -> str:
        """Run a program inside as root, past its network; answers what it printed."""
        done = subprocess.run(
            ["nsenter", f"--target={self.first_process}", "--all", "env", "-i", _PATH, *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if check and done.returncode:
            raise AssertionError(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait_for_cloud_init(self) -> None:
        """Wait until cloud-init went through everything it was told."""
        self.execute("cloud-init", "status", "--wait", check=False)


_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def lab(state: Path, cache: Path = CACHE) -> Iterator[Lab]:
    """Real guests with their disks in `state`, whose image is ready; gone at the end."""
    running = Lab(state, cache)
    try:
        running.wait(running.guests.start())
        running.wait(running.guests.image_ready("debian-12"))
        yield running
    finally:
        running.close()


@contextmanager
def booted_guest(user_data: str) -> Iterator[Booted]:
    """One guest that executes `user_data`, with nothing left of it afterwards."""
    with TemporaryDirectory(prefix="lab") as folder, lab(Path(folder)) as running:
        yield running.boot(user_data)


def wait_for_ssh(ipv4: str) -> str:
    """The SSH banner, once there is one. Closes at once: hanging probes lock sshd's doors."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        with suppress(OSError), socket.create_connection((ipv4, 22), 0.5) as connection:
            connection.settimeout(0.5)
            if banner := connection.recv(100).decode():
                return banner
        sleep(0.1)
    raise AssertionError(f"No SSH banner from {ipv4} within {PATIENCE:.0f} s.")


def wait_until(holds: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
    """Look again and again until it holds; after a long while fail with a sentence."""
    deadline = monotonic() + PATIENCE
    while not holds():
        if monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        sleep(0.1)


def answers(ipv4: str, port: int, *, seconds: float = 1.0) -> bool:
    """Whether a TCP connection from this machine is let in."""
    try:
        socket.create_connection((ipv4, port), seconds).close()
    except OSError:
        return False
    return True
