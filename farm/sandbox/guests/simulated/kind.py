"""Simulated guests as a cloud sees them: create, switch, copy and destroy, a thousand at a time."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import (
    BaseImage,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    GuestState,
    ImageNotFoundError,
)
from farm.sandbox.guests.simulated import image as system
from farm.sandbox.guests.simulated.addresses import Slice
from farm.sandbox.guests.simulated.boot import boot
from farm.sandbox.guests.simulated.disk import Disk
from farm.sandbox.guests.simulated.machine import Machine, Surroundings
from farm.sandbox.guests.simulated.outside import Outside
from farm.sandbox.guests.simulated.records import GuestRecord, Records
from farm.sandbox.guests.simulated.sockets import reset
from farm.sandbox.guests.simulated.sshd import serve
from farm.sandbox.guests.simulated.timings import Timings
from farm.sandbox.guests.simulated.whatsapp import WhatsApp

KEEP_SECONDS = 1.0
"""How often changed disks are written down; a power cut writes them, too."""
DESCRIPTORS = 20_000
SSH = 22
BACKLOG = 64
SYSTEM_BYTES = 1_234_500_000


class Guest:
    """A guest with its power on: the machine, and the listener at its address."""

    def __init__(self, machine: Machine, listener: socket.socket) -> None:
        self.machine, self.listener = machine, listener
        self.greeting: set[asyncio.Task[None]] = set()


class SimulatedGuests:
    """Every guest is state in this process behind an SSH server at an address of its own."""

    kind = "simulated"
    service_host = "127.0.0.1"

    def __init__(
        self,
        *,
        state: Path,
        clock: Clock,
        gate: Gate,
        why: str = "Simulated guests were asked for.",
        timings: Timings | None = None,
    ) -> None:
        self.why = why
        self._records = Records(state)
        self._slice = Slice(state)
        self._outside = Outside(self.service_host)
        self._around = Surroundings(clock, gate, timings or Timings(), self._outside)
        self._on: dict[int, Guest] = {}
        self._disks: dict[int, Disk] = {}
        self._promised: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def whatsapp(self) -> WhatsApp:
        """Where phones scan their codes, and write to them."""
        return self._outside.whatsapp

    @property
    def ssh_port(self) -> int:
        """The one port of all guests."""
        return self._slice.port

    async def start(self) -> None:
        """Claim addresses and boot again what was on."""
        _allow_many_sockets()
        self._records.read()
        self._slice.take()
        self._spawn(self._keep_disks())
        for record in list(self._records.guests.values()):
            if record.power:
                await self.power_on(record.spec.id)

    async def close(self) -> None:
        """A power cut."""
        for task in list(self._tasks):
            task.cancel()
        for guest_id in list(self._on):
            await self._cut(guest_id)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._outside.close()
        self._slice.release()

    def _spawn(self, running: object) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(running)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def listen(self, port: int = 0) -> socket.socket:
        """A listener that guests may reach."""
        listening = socket.create_server((self.service_host, port), backlog=256)
        self._outside.services.add(listening.getsockname()[1])
        return listening

    def images(self) -> tuple[BaseImage, ...]:
        """The one system image."""
        return (BaseImage(system.NAME, "Debian 12"),)

    async def image_ready(self, name: str) -> None:
        """Nothing has to be built."""
        self._records.image(name)

    def progress(self) -> str:
        """Nothing is ever built."""
        return ""

    def next_ipv4(self) -> str:
        """An address nobody has."""
        taken = {record.spec.ipv4 for record in self._records.guests.values()}
        address = self._slice.address(taken | self._promised)
        self._promised.add(address)
        return address

    async def create(self, spec: GuestSpec) -> None:
        """Make the disk and switch on."""
        if spec.id not in self._records.guests:
            self._records.image(spec.image)
            self._records.put(GuestRecord(spec, power=False))
            self._promised.discard(spec.ipv4)
        if spec.boot:
            await self.power_on(spec.id)

    def _record(self, guest_id: int) -> GuestRecord:
        record = self._records.guests.get(guest_id)
        if record is None:
            raise GuestNotFoundError(
                f"There is no guest {guest_id}: it was never created or is gone."
            )
        return record

    async def state(self, guest_id: int) -> GuestState:
        """Is the power on."""
        self._record(guest_id)
        return GuestState.RUNNING if guest_id in self._on else GuestState.OFF

    async def power_on(self, guest_id: int) -> None:
        """Boot."""
        record = self._record(guest_id)
        if guest_id in self._on:
            return
        spec = record.spec
        machine = Machine(
            spec,
            self._disk(guest_id),
            self._around,
            lambda again: self._halted(guest_id, again=again),
            lambda port, peer: self._lets_in(guest_id, port, peer),
        )
        listener = socket.create_server((spec.ipv4, self.ssh_port), backlog=BACKLOG)
        listener.setblocking(False)  # noqa: FBT003  the standard library's own signature
        guest = self._on[guest_id] = Guest(machine, listener)
        asyncio.get_running_loop().add_reader(listener, self._accept, guest)
        machine.begin(boot(machine))
        self._records.power(guest_id, on=True)

    def _disk(self, guest_id: int) -> Disk:
        if guest_id not in self._disks:
            self._disks[guest_id] = self._records.disk(guest_id)
        return self._disks[guest_id]

    def _accept(self, guest: Guest) -> None:
        try:
            connection, (peer, _) = guest.listener.accept()
        except (BlockingIOError, OSError):
            return
        connection.setblocking(False)  # noqa: FBT003
        if not self._lets_in(guest.machine.identity.id, SSH, peer):
            reset(connection)
            return
        task = asyncio.get_running_loop().create_task(serve(guest.machine, connection))
        guest.greeting.add(task)
        task.add_done_callback(guest.greeting.discard)

    def _lets_in(self, guest_id: int, port: int, peer: str) -> bool:
        rules = self._record(guest_id).rules
        if rules is None:
            return True
        sources = [source for rule in rules if rule.port == port for source in rule.sources]
        return any(ip_address(peer) in ip_network(source, strict=False) for source in sources)

    def _halted(self, guest_id: int, *, again: bool) -> None:
        self._spawn(self._switch(guest_id, again=again))

    async def _switch(self, guest_id: int, *, again: bool) -> None:
        await self.power_off(guest_id)
        if again:
            await self.power_on(guest_id)

    async def power_off(self, guest_id: int) -> None:
        """Pull the plug."""
        self._record(guest_id)
        await self._cut(guest_id)
        self._records.power(guest_id, on=False)

    async def _cut(self, guest_id: int) -> None:
        guest = self._on.pop(guest_id, None)
        if guest is None:
            return
        asyncio.get_running_loop().remove_reader(guest.listener)
        guest.listener.close()
        for task in list(guest.greeting):
            task.cancel()
        await guest.machine.stop_all()
        await self._outside.forget(guest.machine)
        self._keep(guest_id)
        self._disks.pop(guest_id, None)

    async def shutdown(self, guest_id: int) -> None:
        """Press the button: it halts a moment later, its services stopped in order."""
        self._record(guest_id)
        guest = self._on.get(guest_id)
        if guest is not None:
            self._spawn(self._halt_in_order(guest_id, guest))

    async def _halt_in_order(self, guest_id: int, guest: Guest) -> None:
        await guest.machine.sleep(self._around.timings.halt)
        await guest.machine.services.stop_everything()
        if self._on.get(guest_id) is guest:
            await self.power_off(guest_id)

    async def destroy(self, guest_id: int) -> None:
        """Pull the plug and remove the disk."""
        if guest_id not in self._records.guests:
            return
        await self._cut(guest_id)
        self._disks.pop(guest_id, None)
        self._records.drop(guest_id)

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """Copy the disk; what it has of Debian itself is kept by nobody here, and counts."""
        self._record(guest_id)
        disk = self._disk(guest_id)
        self._records.keep_image(image_id, disk)
        return SYSTEM_BYTES + disk.size()

    async def delete_image(self, image_id: str) -> None:
        """Remove an image."""
        with contextlib.suppress(ImageNotFoundError):
            self._records.drop_image(image_id)

    async def firewall(self, guest_id: int, rules: Sequence[GuestRule] | None) -> None:
        """Who is let in from now on."""
        record = self._record(guest_id)
        listed = None if rules is None else tuple(rules)
        self._records.put(GuestRecord(record.spec, record.power, listed))

    async def _keep_disks(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            for guest_id in list(self._disks):
                self._keep(guest_id)

    def _keep(self, guest_id: int) -> None:
        disk = self._disks.get(guest_id)
        if disk is not None and disk.dirty and guest_id in self._records.guests:
            self._records.keep(guest_id, disk)


def _allow_many_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < DESCRIPTORS:
        wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
