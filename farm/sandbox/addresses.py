"""Addresses in the machines' network, handed out once although several clouds keep some."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from farm.sandbox.guests.base import GuestKind

Kept = Callable[[], Iterable[str]]


@dataclass(slots=True)
class Addresses:
    """The guests know only the addresses of machines; the clouds also keep some without one."""

    guests: GuestKind
    _keepers: list[Kept] = field(default_factory=list)

    def respect(self, kept: Kept) -> None:
        """What `kept` names at any time is taken."""
        self._keepers.append(kept)

    def unused(self) -> str:
        """An address that no machine has and no cloud keeps; GuestError if there is none."""
        taken = {address for kept in self._keepers for address in kept()}
        while (address := self.guests.next_ipv4()) in taken:
            continue
        return address
