"""The real kind of guests: disks on overlayfs, power by systemd-nspawn, one network for all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from farm.sandbox.guests.base import (
    BaseImage,
    GuestError,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    GuestState,
    ImageNotFoundError,
)
from farm.sandbox.guests.real import cgroups, recipe
from farm.sandbox.guests.real.disks import Disks, Record
from farm.sandbox.guests.real.image import Image
from farm.sandbox.guests.real.keeper import Keeper
from farm.sandbox.guests.real.metadata import MetadataService
from farm.sandbox.guests.real.network import METADATA_HOST, GuestNetwork
from farm.sandbox.guests.real.power import REBOOT, PoweredGuest, Slot
from farm.sandbox.guests.real.seed import seed_files
from farm.sandbox.guests.real.slices import claim


class RealGuests:
    """See `GuestKind`. `state` keeps this sandbox's disks, `cache` images for every sandbox."""

    kind = "real"
    ssh_port = 22

    def __init__(self, *, state: Path, cache: Path, why: str) -> None:
        self.why = why
        state.mkdir(parents=True, exist_ok=True)
        self._slice = claim(cache / "networks", state)
        self._groups = cgroups.sandbox_groups(self._slice.link)
        self._keeper = Keeper(lock=state / "lock", groups=self._groups)
        self._network = GuestNetwork(self._keeper, self._slice)
        self._metadata = MetadataService(self._guest_at)
        self._image = Image(cache)
        self._building: asyncio.Task[None] | None = None
        self._disks = Disks(state, self._image.bases)
        self._powered: dict[int, PoweredGuest] = {}
        self._watches: dict[int, asyncio.Task[None]] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._promised: set[str] = set()

    @property
    def service_host(self) -> str:
        """The guests' gateway: an address inside their network that this machine reaches too."""
        return self._slice.gateway

    async def start(self) -> None:
        """Also begins to build the image, and does not wait for it."""
        await self._disks.load()
        await self._keeper.start()
        try:
            await self._network.start()
            await self._metadata.start(self._network.listen(METADATA_HOST, 80))
            self._building = asyncio.create_task(self._image.prepare())
            was_on = [record for record in self._disks.records() if record.on]
            await asyncio.gather(*(self._switch_on(record) for record in was_on))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """The switches on record stay as they are, so that `start` boots the same guests."""
        tasks = [*self._watches.values(), *([self._building] if self._building else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watches.clear()
        self._powered.clear()
        await self._metadata.close()
        await self._keeper.close()

    def listen(self, port: int = 0) -> socket.socket:
        """GuestError if something listens there already."""
        return self._network.listen(self.service_host, port)

    def images(self) -> tuple[BaseImage, ...]:
        """The one system image."""
        return (BaseImage(recipe.NAME, "Debian 12"),)

    async def image_ready(self, name: str) -> None:
        """A build that failed is tried again by the next who asks."""
        if name != recipe.NAME:
            raise ImageNotFoundError(f"There is no image {name!r} but {recipe.NAME}.")
        if self._building is None or self._failed(self._building):
            self._building = asyncio.create_task(self._image.prepare())
        await asyncio.shield(self._building)

    def progress(self) -> str:
        """Empty unless the image is being built."""
        return self._image.progress()

    def next_ipv4(self) -> str:
        """GuestError when the slice is full."""
        taken = self._promised | {record.spec.ipv4 for record in self._disks.records()}
        free = next((ipv4 for ipv4 in self._slice.guests if ipv4 not in taken), None)
        if free is None:
            raise GuestError("Every address of the guests' network is taken: delete a server.")
        self._promised.add(free)
        return free

    async def create(self, spec: GuestSpec) -> None:
        """Waits for the image if it is still being built."""
        layers = await self._layers(spec.image)
        async with self._alone(spec.id):
            if self._disks.knows(spec.id):
                return
            record = Record(spec, layers, on=spec.boot)
            await self._disks.make(record, seed_files(spec, self._slice))
            self._promised.discard(spec.ipv4)
            if spec.boot:
                await self._switch_on(record)

    async def state(self, guest_id: int) -> GuestState:
        """As its container shows it."""
        self._disks.record(guest_id)
        powered = self._powered.get(guest_id)
        return GuestState.RUNNING if powered and powered.on else GuestState.OFF

    async def power_on(self, guest_id: int) -> None:
        """Boot from the disk."""
        async with self._alone(guest_id):
            if guest_id in self._powered:
                return
            record = self._keep_switch(guest_id, on=True)
            await self._switch_on(record)

    async def power_off(self, guest_id: int) -> None:
        """Pull the plug."""
        async with self._alone(guest_id):
            self._keep_switch(guest_id, on=False)
            await self._switch_off(guest_id)

    async def shutdown(self, guest_id: int) -> None:
        """Press the power button."""
        self._disks.record(guest_id)
        if powered := self._powered.get(guest_id):
            await powered.press_button()

    async def destroy(self, guest_id: int) -> None:
        """Pull the plug and remove the disk."""
        async with self._alone(guest_id):
            if not self._disks.knows(guest_id):
                return
            self._keep_switch(guest_id, on=False)
            await self._switch_off(guest_id)
            await self._disks.destroy(guest_id)
        self._locks.pop(guest_id, None)

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """A running guest is held still meanwhile: its image is as after a power cut."""
        async with self._alone(guest_id):
            self._disks.record(guest_id)
            powered = self._powered.get(guest_id)
            if powered is None:
                return await self._disks.snapshot(guest_id, image_id)
            powered.hold(still=True)
            try:
                return await self._disks.snapshot(guest_id, image_id)
            finally:
                powered.hold(still=False)

    async def delete_image(self, image_id: str) -> None:
        """Disks made from it keep working."""
        await self._disks.delete_image(image_id)

    async def firewall(self, guest_id: int, rules: Sequence[GuestRule] | None) -> None:
        """Holds at once, and again after every start."""
        async with self._alone(guest_id):
            kept = None if rules is None else tuple(rules)
            self._disks.keep(replace(self._disks.record(guest_id), rules=kept))
            if guest_id in self._powered:
                await self._network.admit(_link(guest_id), kept)

    def _guest_at(self, ipv4: str) -> GuestSpec | None:
        specs = (record.spec for record in self._disks.records())
        return next((spec for spec in specs if spec.ipv4 == ipv4), None)

    async def _layers(self, image: str) -> tuple[str, ...]:
        if image != recipe.NAME:
            return self._disks.layers_of(image)
        await self.image_ready(image)
        return (self._image.layer,)

    def _keep_switch(self, guest_id: int, *, on: bool) -> Record:
        record = replace(self._disks.record(guest_id), on=on)
        self._disks.keep(record)
        return record

    @asynccontextmanager
    async def _alone(self, guest_id: int) -> AsyncIterator[None]:
        """One order after the other for each guest."""
        async with self._locks.setdefault(guest_id, asyncio.Lock()):
            yield

    async def _switch_on(self, record: Record) -> None:
        spec, link = record.spec, _link(record.spec.id)
        root = self._disks.folder(spec.id) / "root"
        options = self._disks.mount_options(record)
        await self._keeper.run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
        network = await self._network.plug(link, spec.ipv4, record.rules)
        groups = tuple(
            cgroups.make_group(parent, link, memory_mb=spec.memory_mb) for parent in self._groups
        )
        slot = Slot(root, network, groups, self._disks.folder(spec.id) / "console.log")
        self._powered[spec.id] = await PoweredGuest.boot(self._keeper, spec, slot)
        self._watches[spec.id] = asyncio.create_task(self._watch(record, slot))

    async def _switch_off(self, guest_id: int) -> None:
        """Its watch clears up after it, as after a guest that halted."""
        if powered := self._powered.get(guest_id):
            await powered.pull_plug()
            await asyncio.shield(self._watches[guest_id])

    async def _watch(self, record: Record, slot: Slot) -> None:
        guest_id = record.spec.id
        ended = await self._powered[guest_id].ended()
        await self._network.unplug(_link(guest_id))
        await self._keeper.run("umount", "--recursive", str(slot.root))
        for group in slot.groups:
            await cgroups.remove_group(group)
        del self._powered[guest_id]
        if ended == REBOOT and self._disks.record(guest_id).on:
            await self._switch_on(self._disks.record(guest_id))
        else:
            self._keep_switch(guest_id, on=False)

    @staticmethod
    def _failed(task: asyncio.Task[None]) -> bool:
        return task.done() and (task.cancelled() or task.exception() is not None)


def _link(guest_id: int) -> str:
    """The name of a guest's network, interface, firewall chain and control group."""
    return f"g{guest_id}"


__all__ = ["GuestNotFoundError", "RealGuests"]
