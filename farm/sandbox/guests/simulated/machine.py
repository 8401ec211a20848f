"""A guest with its power on: a disk, processes, units, and what listens on its ports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from asyncssh import SSHServerConnection

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import GuestSpec
from farm.sandbox.guests.simulated.disk import Disk
from farm.sandbox.guests.simulated.execute import execute, find_program
from farm.sandbox.guests.simulated.files import ROOT, Files
from farm.sandbox.guests.simulated.journal import Journal
from farm.sandbox.guests.simulated.outside import Outside
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.sshd_config import SshdConfig
from farm.sandbox.guests.simulated.systemd import Services
from farm.sandbox.guests.simulated.timings import Timings

ProtocolFactory = Callable[[], asyncio.Protocol]


@dataclass(slots=True)
class Running:
    """A process in the table: `hang_up` is what SIGHUP does to it."""

    argv: list[str]
    uid: int
    task: asyncio.Task[int]
    hang_up: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all machines of a kind share."""

    clock: Clock
    gate: Gate
    timings: Timings
    outside: Outside


@dataclass(slots=True)
class Machine:
    """One guest from power on to power off; the disk is all that outlives it."""

    identity: GuestSpec
    disk: Disk
    around: Surroundings
    halt: Callable[[bool], None]
    """Switch the power off, or on again at once when called with True."""
    admits: Callable[[int, str], bool]
    """Whether the cloud's firewall lets an address through to a port."""
    journal: Journal = field(default_factory=Journal)
    ports: dict[int, ProtocolFactory] = field(default_factory=dict)
    """What listens on 127.0.0.1, by port."""
    processes: dict[int, Running] = field(default_factory=dict)
    services: Services = field(init=False)
    connections: set[SSHServerConnection] = field(default_factory=set)
    sshd: SshdConfig | None = None
    """What sshd was told when it last read its files; None while it does not run."""
    cut: bool = False
    """The power is gone: whatever ends now ends without a last word."""
    ruleset: str = ""
    swaps: set[str] = field(default_factory=set)
    cloud_init: str = "not started"
    started_at: float = 0.0
    _pids: int = 300

    def __post_init__(self) -> None:
        self.services = Services(self)
        self.started_at = self.seconds()

    def seconds(self) -> float:
        """The sandbox's time in Unix seconds."""
        return self.around.clock.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        """Let sandbox time pass."""
        await self.around.clock.sleep(seconds)

    @property
    def files(self) -> Files:
        """The disk as root uses it."""
        return Files(self.disk, ROOT, self.seconds)

    async def run(self, process: Process) -> int:
        """Run a program to its end; answers its exit code, 127 if there is no such program."""
        return await execute(process)

    def find_program(self, process: Process, name: str) -> str | None:
        """The path that `name` would run, by this process's PATH."""
        return find_program(process, name)

    def start(self, process: Process) -> int:
        """Run a program beside everything else; answers its process id."""
        return self._register(process.argv, process.who.uid, self.run(process))

    def detach(self, running: Awaitable[int]) -> int:
        """Let a shell's background job go on; answers its process id."""

        async def job() -> int:
            return await running

        return self._register(["sh"], 0, job())

    def begin(self, booting: Coroutine[None, None, int]) -> None:
        """Start process 1."""
        self._register(["init"], 0, booting)

    def _register(self, argv: list[str], uid: int, running: Coroutine[None, None, int]) -> int:
        self._pids += 1
        pid = self._pids
        task = asyncio.get_running_loop().create_task(running, name=" ".join(argv)[:80])
        self.processes[pid] = Running(argv, uid, task)
        task.add_done_callback(lambda done: self._ended(pid, done))
        return pid

    def _ended(self, pid: int, task: asyncio.Task[int]) -> None:
        self.processes.pop(pid, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.journal.add(self.seconds(), "", "kernel", f"process {pid} crashed: {error!r}")

    async def wait_for_background(self) -> None:
        """Until every shell job in the background has ended."""
        own = asyncio.current_task()
        jobs = [r.task for r in self.processes.values() if r.argv == ["sh"] and r.task is not own]
        if jobs:
            await asyncio.wait(jobs)

    async def stop_all(self) -> None:
        """The power is cut: nothing runs any more."""
        self.cut = True
        own = asyncio.current_task()
        self.services.forget_all()
        for connection in list(self.connections):
            connection.abort()
        tasks = [r.task for r in self.processes.values() if r.task is not own]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.ports.clear()
