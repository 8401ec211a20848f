"""Hands each sandbox of this machine a slice of 198.18.0.0/15 that it keeps for life."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from farm.sandbox.guests.base import GuestError

WHOLE = IPv4Network("198.18.0.0/15")
"""Reserved for benchmarks between networks: no real destination is ever hidden by it."""
REGISTRY = Path("/var/lib/agent-farm/networks")
"""Of the machine, not of one cache: sandboxes with caches of their own meet on the same network."""
PREFIX = 22
COUNT = 2 ** (PREFIX - WHOLE.prefixlen)


@dataclass(frozen=True, slots=True)
class Slice:
    """One of the 128 networks of 1,024 addresses, and who lives where in it."""

    number: int

    @property
    def network(self) -> IPv4Network:
        """The addresses of this slice."""
        first = int(WHOLE.network_address) + self.number * 2 ** (32 - PREFIX)
        return IPv4Network((first, PREFIX))

    @property
    def gateway(self) -> str:
        """The guests' gateway, where the sandbox's services listen too."""
        return str(self.network[1])

    @property
    def host(self) -> str:
        """The address by which guests see this machine."""
        return str(self.network[-2])

    @property
    def link(self) -> str:
        """The name of this machine's interface into the slice; at most 15 characters."""
        return f"farm{self.number}"

    @property
    def guests(self) -> Iterator[str]:
        """Every address a guest may have."""
        return (str(address) for address in self.network.hosts() if self._is_guests(address))

    def _is_guests(self, address: IPv4Address) -> bool:
        return str(address) not in (self.gateway, self.host)


def claim(registry: Path, owner: Path) -> Slice:
    """The slice that the state folder `owner` has, or the first free one, from now on its own.

    The folder itself keeps the number, for its guests' addresses are on their disks. A slice is
    free again once the folder that had it is gone. GuestError when none is to be had.
    """
    registry.mkdir(parents=True, exist_ok=True)
    kept = owner / "network"
    with _locked(registry):
        number = int(kept.read_text()) if kept.exists() else _first_free(registry)
        if (taken_by := _owner(registry / str(number))) not in (None, owner):
            raise GuestError(
                f"The guests in {owner} have the addresses of those in {taken_by}, as in a copy:"
                " use one of the two folders, and remove the other."
            )
        (registry / str(number)).write_text(str(owner))
        kept.write_text(str(number))
        return Slice(number)


def _first_free(registry: Path) -> int:
    free = (number for number in range(COUNT) if _owner(registry / str(number)) is None)
    number = next(free, None)
    if number is None:
        raise GuestError(
            f"All {COUNT} guest networks of this machine are taken: remove the data folder of a"
            f" farm that is no longer needed (they are listed in {registry})."
        )
    return number


@contextmanager
def _locked(registry: Path) -> Iterator[None]:
    with (registry / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _owner(entry: Path) -> Path | None:
    try:
        owner = Path(entry.read_text())
    except FileNotFoundError:
        return None
    return owner if owner.is_dir() else None
