"""One guest under power: a systemd-nspawn container from boot until it halts or loses power."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from farm.sandbox.guests.base import GuestSpec
from farm.sandbox.guests.real import cgroups
from farm.sandbox.guests.real.keeper import Keeper

REBOOT = 133
"""How systemd-nspawn ends when the guest asked for a restart."""

_ORDERLY_HALT = signal.SIGRTMIN + 4
_PATIENCE = 10.0
_PAUSE = 0.05

# Moves itself into the guest's control groups and becomes the program after "--".
_JOIN = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs"; shift; done; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a guest runs: its network, its mounted disk, its control groups, its console's log.

    `link` is the name of its network, interface, firewall chain and control groups.
    """

    link: str
    root: Path
    groups: tuple[Path, ...]
    console: Path


class PoweredGuest:
    """A guest whose power is on; `ended` answers how it ended."""

    def __init__(self, process: Process, groups: tuple[Path, ...]) -> None:
        self._process = process
        self._groups = groups

    @classmethod
    async def boot(cls, keeper: Keeper, spec: GuestSpec, slot: Slot) -> PoweredGuest:
        """Switch on. Never without a network of its own: a guest would use the machine's."""
        with slot.console.open("wb") as console:
            process = await keeper.spawn(
                *("sh", "-ec", _JOIN, "join", *map(str, slot.groups), "--"),
                *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
                *("--console=pipe", "--resolv-conf=off", "--link-journal=no", "--timezone=off"),
                *("--capability=CAP_NET_ADMIN", "--kill-signal=SIGRTMIN+3"),
                *(f"--directory={slot.root}", f"--network-namespace-path=/run/netns/{slot.link}"),
                *(f"--machine=guest-{spec.id}", f"--hostname={spec.name}"),
                output=console.fileno(),
            )
        return cls(process, slot.groups)

    @property
    def on(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait for its end: REBOOT if it wants to start again, else anything."""
        return await self._process.wait()

    async def pull_plug(self) -> None:
        """End it at once: the kernel ends all that its first process began."""
        while self.on:
            for pid in self._inmost():
                _kill(pid, signal.SIGKILL)
            await asyncio.wait([asyncio.ensure_future(self._process.wait())], timeout=_PAUSE)

    async def press_button(self) -> None:
        """Ask its systemd for an orderly halt, as soon as it has one."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self.on and asyncio.get_running_loop().time() < deadline:
            if first := self.first_process:
                _kill(first, _ORDERLY_HALT)
                return
            await asyncio.sleep(_PAUSE)

    @asynccontextmanager
    async def held_still(self) -> AsyncIterator[None]:
        """Every process of it stops where it is meanwhile."""
        try:
            for group in self._groups:
                await cgroups.hold_still(group)
            yield
        finally:
            for group in self._groups:
                cgroups.let_go(group)

    @property
    def first_process(self) -> int:
        """The guest's own process 1, by its id outside; 0 while there is none."""
        return next((pid for pid in self._inmost() if _name(pid) == "systemd"), 0)

    def _inmost(self) -> list[int]:
        """The guest's own process 1: nsenter's child is systemd-nspawn, whose child it is."""
        containers = _children([self._process.pid])
        return _children(containers) or containers


def _kill(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _children(parents: Collection[int]) -> list[int]:
    processes = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in processes if _parent(pid) in parents]


def _parent(pid: int) -> int:
    """The parent stands second after the name, which may hold anything; 0 for one that is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
