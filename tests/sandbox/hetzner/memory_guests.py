"""Machines that are nothing but a state: what the cloud's API needs to be tested alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from farm.sandbox.guests.base import (
    BaseImage,
    GuestError,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    GuestState,
    ImageNotFoundError,
)


@dataclass(slots=True)
class MemoryGuests:
    """Every power switch works at once. `building` holds up an image until it is set."""

    kind: str = "memory"
    why: str = "Nothing boots in these tests."
    ssh_port: int = 22
    service_host: str = "127.0.0.1"
    offered: tuple[BaseImage, ...] = (BaseImage("debian-12", "Debian 12"),)
    building: dict[str, asyncio.Event] = field(default_factory=dict)
    specs: dict[int, GuestSpec] = field(default_factory=dict)
    powered: set[int] = field(default_factory=set)
    rules: dict[int, Sequence[GuestRule] | None] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    issued: int = 0
    room: int = 1000

    async def start(self) -> None:
        """Nothing to bring up."""

    async def close(self) -> None:
        """Disks and switches stay as they are."""

    def listen(self, port: int = 0) -> socket.socket:
        """A socket on loopback."""
        return socket.create_server(("127.0.0.1", port))

    def images(self) -> tuple[BaseImage, ...]:
        """Those of `offered`."""
        return self.offered

    async def image_ready(self, name: str) -> None:
        """Wait while it is `building`."""
        if name not in [image.name for image in self.offered]:
            raise ImageNotFoundError(f"There is no image {name}.")
        if name in self.building:
            await self.building[name].wait()

    def progress(self) -> str:
        """Nothing is being built."""
        return ""

    def next_ipv4(self) -> str:
        """The next address."""
        if len(self.specs) >= self.room:
            raise GuestError("The network is full.")
        self.issued += 1
        return f"127.20.{self.issued // 250}.{self.issued % 250 + 1}"

    async def create(self, spec: GuestSpec) -> None:
        """Keep the order."""
        if spec.image not in self.copies:
            await self.image_ready(spec.image)
        self.specs.setdefault(spec.id, spec)
        if spec.boot:
            self.powered.add(spec.id)

    async def state(self, guest_id: int) -> GuestState:
        """On or off."""
        self._known(guest_id)
        return GuestState.RUNNING if guest_id in self.powered else GuestState.OFF

    async def power_on(self, guest_id: int) -> None:
        """On."""
        self._known(guest_id)
        self.powered.add(guest_id)

    async def power_off(self, guest_id: int) -> None:
        """Off."""
        self._known(guest_id)
        self.powered.discard(guest_id)

    async def shutdown(self, guest_id: int) -> None:
        """Off as well: these machines halt at once."""
        await self.power_off(guest_id)

    async def destroy(self, guest_id: int) -> None:
        """Forget it."""
        self.powered.discard(guest_id)
        self.specs.pop(guest_id, None)

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """A copy of two gigabytes."""
        self._known(guest_id)
        self.copies[image_id] = 2_000_000_000
        return self.copies[image_id]

    async def delete_image(self, image_id: str) -> None:
        """Forget the copy."""
        self.copies.pop(image_id, None)

    async def firewall(self, guest_id: int, rules: Sequence[GuestRule] | None) -> None:
        """Keep the rules."""
        self._known(guest_id)
        self.rules[guest_id] = rules

    def _known(self, guest_id: int) -> None:
        if guest_id not in self.specs:
            raise GuestNotFoundError(f"There is no guest {guest_id}.")
